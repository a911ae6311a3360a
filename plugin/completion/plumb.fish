# fish completion for plumb(8)

# The folder of the services' files.
function __plumb_folder
    set -l words (commandline -opc)
    set -l at (contains -i -- --config-dir $words)
    and set -q words[(math $at + 1)]
    and echo $words[(math $at + 1)]
    or echo /etc/plumb
end

function __plumb_services
    set -l folder (__plumb_folder)
    for file in $folder/*.conf
        string replace -r '.*/(.*)\.conf$' '$1' -- $file
    end
end

# The words that are neither options nor what they take: the command, the service, and so on.
function __plumb_words
    set -l takes --config-dir --node --format --tail --since --socket --metrics --state
    set -l skip
    for word in (commandline -opc)[2..]
        if set -q skip[1]
            set -e skip
        else if contains -- $word $takes
            set skip yes
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# Whether the command is one of these and as many words follow it: __plumb_at 0 start stop
function __plumb_at
    set -l words (__plumb_words)
    test (count $words) -eq (math $argv[1] + 1)
    and contains -- $words[1] $argv[2..]
end

function __plumb_of
    set -l words (__plumb_words)
    set -q words[1]
    and contains -- $words[1] $argv
end

function __plumb_containers
    set -l words (__plumb_words)
    set -l file (__plumb_folder)/$words[2].conf
    test -r $file
    and string replace -rf '^\[container#(.*)\].*' '$1' <$file
end

function __plumb_keywords
    plumb keywords 2>/dev/null | string replace -rf '^  ([a-z][^ ,]*).*' '$1'
end

function __plumb_run
    contains -- -- (commandline -opc)
end

complete -c plumb -f
set -l described \
    'validate:Check the configuration' 'plan:Show the steps of a verb' 'start:Start a service' \
    'stop:Stop a service' 'restart:Stop and start a service' 'prepare:Start all but the addresses' \
    'activate:Claim the addresses' 'boot:Start what is on standby' 'shutdown:Stop everything on this node' \
    'status:Show the state' 'doctor:Say why an address does not answer' 'ls:List the services of this node' \
    'logs:Show what the containers write' 'enter:Run a command in the namespace' 'keywords:Explain the configuration' \
    'docker:Run docker on the engine of a service' 'driver:Serve Docker as a network driver' 'watch:Keep services true' \
    'ocf:Be the agent of Pacemaker' 'version:Print the version'
for one in $described
    set -l parts (string split -m 1 : -- $one)
    complete -c plumb -n 'not __plumb_words | string length -q' -a $parts[1] -d $parts[2]
end
complete -c plumb -n 'not __plumb_words | string length -q' -l version -d 'Print the version'
complete -c plumb -n 'not __plumb_run' -l help -s h -d 'Explain the command'

set -l placed validate plan start stop restart prepare activate boot shutdown status doctor ls logs enter docker
set -l verbs start stop restart prepare activate boot shutdown
set -l served validate plan start stop restart prepare activate boot shutdown status doctor logs enter docker
complete -c plumb -n "__plumb_at 0 $served" -a '(__plumb_services)' -d service
complete -c plumb -n '__plumb_at 1 plan' -a 'start stop prepare activate boot shutdown'
complete -c plumb -n 'not __plumb_run; and __plumb_of logs enter; and test (count (__plumb_words)) -ge 2' \
    -a '(__plumb_containers)' -d container
complete -c plumb -n '__plumb_of enter; and __plumb_run' -a '(__fish_complete_command)'
complete -c plumb -n '__plumb_at 0 keywords' -a '(__plumb_keywords)'
complete -c plumb -n '__plumb_at 0 ocf' -a 'start stop monitor migrate_to migrate_from validate-all reload-agent meta-data'

complete -c plumb -n "__plumb_of $placed" -l config-dir -x -a '(__fish_complete_directories)' -d 'Where the files are'
complete -c plumb -n "__plumb_of $placed" -l node -x -d 'Name of this node'
complete -c plumb -n "__plumb_of validate plan status doctor ls driver $verbs" -l format -x -a 'human json' -d Format
complete -c plumb -n "__plumb_of watch $verbs" -l timing -d 'Print the critical path'
complete -c plumb -n '__plumb_of boot shutdown' -l time-limit -x -d 'Give up what is not done by then'
complete -c plumb -n "__plumb_of $verbs" -l quiet -s q -d 'Print errors only'
complete -c plumb -n '__plumb_of status' -l ask-engine -d 'Ask about a service that is whole, too'
complete -c plumb -n '__plumb_of activate' -l force -d 'Take addresses for which nobody answers'
complete -c plumb -n '__plumb_of logs' -l follow -s f -d 'Go on until the containers end'
complete -c plumb -n '__plumb_of logs' -l tail -x -d 'Only the last lines'
complete -c plumb -n '__plumb_of logs' -l since -x -d 'Only what is not older'
complete -c plumb -n '__plumb_of logs' -l timestamps -s t -d 'The time before each line'
complete -c plumb -n '__plumb_of enter; and not __plumb_run' -l container -s c -d 'Inside the container itself'
complete -c plumb -n '__plumb_of driver' -l socket -r -F -d 'Where to listen'
complete -c plumb -n '__plumb_of driver watch' -l metrics -r -F -d 'Serve metrics here'
complete -c plumb -n '__plumb_of driver' -l state -x -a '(__fish_complete_directories)' -d 'Where its records are'
complete -c plumb -n '__plumb_of driver' -l check -d 'Only say what is missing'
