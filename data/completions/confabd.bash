# SPDX-License-Identifier: GPL-3.0-or-later
# bash completion for confabd

_confabd() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()

    case $prev in
        --port | --bind | --allow-origin | --allow-host | --base-url | --model) return ;;
        --data-dir)
            compopt -o filenames 2> /dev/null
            mapfile -t COMPREPLY < <(compgen -d -- "$cur")
            return
            ;;
        --config | --unix)
            compopt -o filenames 2> /dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return
            ;;
        --provider)
            mapfile -t COMPREPLY < <(compgen -W "auto builtin openai openai-responses anthropic
                ollama" -- "$cur")
            return
            ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "--port --bind --unix --data-dir --in-memory --config
        --dev --no-realtime --allow-origin --allow-host --provider --base-url --model --session --system
        --no-bus --replace --verbose --version --help" -- "$cur")
}

complete -F _confabd confabd
