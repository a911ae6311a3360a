#compdef plumb
# zsh completion for plumb(8)

_plumb_folder() { print -r -- ${opt_args[--config-dir]:-/etc/plumb} }

_plumb_services() {
  local -a services
  services=($(_plumb_folder)/*.conf(N:t:r))
  _alternative "services:service:(${services})" 'files:file:_files -g "*.conf"'
}

_plumb_containers() {
  local file=$(_plumb_folder)/${line[1]}.conf
  local -a containers
  [[ -r $file ]] && containers=(${(f)"$(sed -n 's/^\[container#\(.*\)\].*/\1/p' $file)"})
  _wanted containers expl container compadd -a containers
}

_plumb_keywords() {
  local -a keywords
  keywords=(${(f)"$(plumb keywords 2>/dev/null | awk -F '[ ,]+' '/^  [a-z]/ {print $2}')"})
  _wanted keywords expl keyword compadd -a keywords
}

_plumb() {
  local curcontext=$curcontext state line expl
  local -A opt_args
  local -a known place format verb
  # What stands after -- is a command of the node's.
  local dashes=${words[(i)--]}
  if [[ $words[2] == enter ]] && ((dashes < CURRENT)); then
    shift $dashes words
    ((CURRENT -= dashes))
    _normal
    return
  fi
  known=(
    'validate:check the configuration'
    'plan:show the steps of a verb'
    'start:start a service'
    'stop:stop a service'
    'restart:stop and start a service'
    'prepare:start all but the addresses'
    'activate:claim the addresses'
    'boot:start what is on standby'
    'shutdown:stop everything on this node'
    'status:show the state'
    'doctor:say why an address does not answer'
    'ls:list the services of this node'
    'logs:show what the containers write'
    'enter:run a command in the namespace'
    'keywords:explain the configuration'
    'docker:run docker on the engine of a service'
    'driver:serve Docker as a network driver'
    'watch:keep services true'
    'ocf:be the agent of Pacemaker'
    'version:print the version'
  )
  _arguments -C '(- *)--help[explain plumb]' '(- *)--version[print the version]' '1:command:->command' '*::words:->words'
  case $state in
    command) _describe command known && return ;;
    words) ;;
    *) return ;;
  esac
  place=('--config-dir[where the files are]:folder:_files -/' '--node[name of this node]:name:')
  format=('--format[format]:format:(human json)')
  verb=($place $format '--timing[print the critical path]' '(-q --quiet)'{-q,--quiet}'[print errors only]')
  local command=$words[1]
  curcontext=${curcontext%:*:*}:plumb-$command:
  case $command in
    status) _arguments $place $format '--ask-engine[ask about a service that is whole, too]' '--help' '1:service:_plumb_services' ;;
    validate | doctor) _arguments $place $format '--help' '1:service:_plumb_services' ;;
    ls) _arguments $place $format '--help' ;;
    plan) _arguments $place $format '--help' '1:service:_plumb_services' '2:verb:(start stop prepare activate boot shutdown)' ;;
    start | stop | restart | prepare) _arguments $verb '--help' '1:service:_plumb_services' ;;
    boot | shutdown) _arguments $verb '--time-limit[give up what is not done by then]:duration:' '--help' '1:service:_plumb_services' ;;
    activate) _arguments $verb '--force[take addresses for which nobody answers]' '--help' '1:service:_plumb_services' ;;
    logs)
      _arguments $place '(-f --follow)'{-f,--follow}'[go on until the containers end]' '--tail[only the last lines]:lines:' \
        '--since[only what is not older]:duration:' '(-t --timestamps)'{-t,--timestamps}'[the time before each line]' '--help' \
        '1:service:_plumb_services' '*:container:_plumb_containers'
      ;;
    enter)
      _arguments $place '(-c --container)'{-c,--container}'[inside the container itself]' '--help' \
        '1:service:_plumb_services' '2:container:_plumb_containers'
      ;;
    docker) _arguments $place '--help' '1:service:_plumb_services' ;;
    keywords) _arguments '--help' '1:keyword:_plumb_keywords' ;;
    driver)
      _arguments '--socket[where to listen]:file:_files' '--metrics[serve metrics here]:file:_files' \
        '--state[where its records are]:folder:_files -/' '--check[only say what is missing]' $format '--help'
      ;;
    watch) _arguments '--metrics[serve metrics here]:file:_files' '--timing[say the critical path of each heal]' '--help' ;;
    ocf) _arguments '--help' '1:action:(start stop monitor migrate_to migrate_from validate-all reload-agent meta-data)' ;;
    version) _arguments '--help' ;;
  esac
}

_plumb "$@"
