# bash completion for plumb(8)
_plumb() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  local dir=/etc/plumb word services=()
  for ((word = 1; word < COMP_CWORD; word++)); do
    [[ ${COMP_WORDS[word]} == --config-dir ]] && dir=${COMP_WORDS[word + 1]}
  done
  local file
  for file in "$dir"/*.conf; do
    [[ -e $file ]] && file=${file##*/} && services+=("${file%.conf}")
  done
  case $previous in
    --format) mapfile -t COMPREPLY < <(compgen -W 'human json' -- "$current") && return ;;
    --config-dir | --state) mapfile -t COMPREPLY < <(compgen -d -- "$current") && return ;;
    --socket | --metrics) mapfile -t COMPREPLY < <(compgen -f -- "$current") && return ;;
  esac
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W 'validate plan start stop restart prepare activate boot shutdown status doctor ls logs enter keywords docker driver watch ocf version --help --version' -- "$current")
    return
  fi
  case $command in
    status) word='--config-dir --node --format --ask-engine --help' ;;
    validate | plan | doctor | ls) word='--config-dir --node --format --help' ;;
    activate) word='--config-dir --node --format --timing --quiet --force --help' ;;
    start | stop | restart | prepare) word='--config-dir --node --format --timing --quiet --help' ;;
    boot | shutdown) word='--config-dir --node --format --time-limit --timing --quiet --help' ;;
    logs) word='--config-dir --node --follow --tail --since --timestamps --help' ;;
    enter) word='--config-dir --node --container --help' ;;
    docker) word='--config-dir --node --help' ;;
    driver) word='--socket --metrics --state --check --format --help' ;;
    watch) word='--metrics --timing --help' ;;
    *) word='--help' ;;
  esac
  if [[ $command == enter && " ${COMP_WORDS[*]:0:COMP_CWORD} " == *' -- '* ]]; then
    mapfile -t COMPREPLY < <(compgen -c -- "$current")
    return
  fi
  if [[ $current == -* || $command == version || $command == ls || $command == driver || $command == watch ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$word" -- "$current")
    return
  fi
  case $command in
    ocf) mapfile -t COMPREPLY < <(compgen -W 'start stop monitor migrate_to migrate_from validate-all reload-agent meta-data' -- "$current") ;;
    keywords)
      mapfile -t COMPREPLY < <(compgen -W "$(plumb keywords 2>/dev/null | awk -F '[ ,]+' '/^  [a-z]/ {print $2}')" -- "$current") ;;
    *)
      if [[ $command == plan && $COMP_CWORD -ge 3 ]]; then
        mapfile -t COMPREPLY < <(compgen -W 'start stop prepare activate boot shutdown' -- "$current")
      elif [[ ($command == logs || $command == enter) && -r $dir/${COMP_WORDS[2]}.conf ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^\[container#\(.*\)\].*/\1/p' "$dir/${COMP_WORDS[2]}.conf")" -- "$current")
      else
        mapfile -t COMPREPLY < <(compgen -W "${services[*]}" -- "$current")
        [[ $current == */* ]] && mapfile -t COMPREPLY < <(compgen -f -- "$current")
      fi ;;
  esac
}
complete -F _plumb plumb
