# SPDX-License-Identifier: GPL-3.0-or-later
# bash completion for confabctl

# The first column of what confabctl lists, of the bus that the command line names.
_confabctl_list() {
    local system=()
    [[ " ${COMP_WORDS[*]} " == *' --system '* ]] && system=(--system)
    "${COMP_WORDS[0]}" "${system[@]}" "$1" 2> /dev/null < /dev/null | cut -f 1
}

_confabctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local words="" command="" arguments=0 i word
    COMPREPLY=()

    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
            -m | --module | --session | --limit) ((i++)) ;;
            -*) ;;
            *) if [ -z "$command" ]; then command=$word; else ((++arguments)); fi ;;
        esac
    done

    case $prev in
        -m | --module) words=$(_confabctl_list modules) ;;
        --session) words=$(_confabctl_list sessions) ;;
        --limit) return ;;
        *)
            case $command:$arguments:$cur in
                :*:-*) words="--help --json --system --version" ;;
                chat:*:-* | branch:*:-*) words="--help --json --module --system" ;;
                open:*:-*) words="--help --json --new --print --system" ;;
                monitor:*:-*) words="--chunks --help --json --system" ;;
                history:*:-*) words="--help --json --limit --system" ;;
                import:*:-*) words="--all-parameters --help --json --system" ;;
                export:*:-*) words="--help --json --session --system" ;;
                *:-*) words="--help --json --system" ;;
                :*) words="status open chat sessions modules history branch stop monitor token
                    providers export import" ;;
                open:0:* | history:0:* | stop:0:*) words=$(_confabctl_list modules) ;;
                modules:0:*) words=$(_confabctl_list sessions) ;;
                token:0:*) words="rotate" ;;
                providers:0:*) words="set-key clear-key" ;;
                providers:1:*) words=$(_confabctl_list providers) ;;
                export:0:* | import:0:*)
                    compopt -o filenames 2> /dev/null
                    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                    return
                    ;;
            esac
            ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _confabctl confabctl
