# Packs the pause program as an image archive, in the form of `docker save`. Run by the build:
#   cmake -DPAUSE=<program> -DTAG=<name:tag> -DARCH=<Go's name of the architecture> -DOUT=<archive> -P image.cmake
get_filename_component(dir ${OUT} DIRECTORY)
set(root ${dir}/pause-image)
file(REMOVE_RECURSE ${root})
file(MAKE_DIRECTORY ${root}/layer)
file(COPY ${PAUSE} DESTINATION ${root}/layer)
set(tar ${CMAKE_COMMAND} -E tar cf)
execute_process(COMMAND ${tar} ${root}/layer.tar --format=gnutar "--mtime=1970-01-01 00:00:00Z" pause
                WORKING_DIRECTORY ${root}/layer COMMAND_ERROR_IS_FATAL ANY)
file(SHA256 ${root}/layer.tar layer)
file(WRITE ${root}/config.json "{\"architecture\":\"${ARCH}\",\"os\":\"linux\",\"created\":\"1970-01-01T00:00:00Z\",\
\"config\":{\"Entrypoint\":[\"/pause\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:${layer}\"]}}")
file(SHA256 ${root}/config.json config)
file(RENAME ${root}/config.json ${root}/${config}.json)
file(WRITE ${root}/manifest.json
     "[{\"Config\":\"${config}.json\",\"RepoTags\":[\"${TAG}\"],\"Layers\":[\"layer.tar\"]}]")
execute_process(COMMAND ${tar} ${OUT} --format=gnutar "--mtime=1970-01-01 00:00:00Z" manifest.json ${config}.json layer.tar
                WORKING_DIRECTORY ${root} COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE ${root})
