# SPDX-License-Identifier: GPL-3.0-or-later
# fish completion for confabd

complete -c confabd -f
complete -c confabd -s h -l help -d 'Say what there is'
complete -c confabd -l version -d 'Print the version'
complete -c confabd -l port -x -d 'TCP port; 0 takes a free one'
complete -c confabd -l bind -x -d 'IP address instead of loopback'
complete -c confabd -l unix -r -F -d 'UNIX socket'
complete -c confabd -l data-dir -x -a '(__fish_complete_directories)' \
    -d 'Where everything is kept'
complete -c confabd -l in-memory -d 'Write no conversation to disk'
complete -c confabd -l config -r -F -d 'File of settings'
complete -c confabd -l dev -d 'No token, loopback addresses only'
complete -c confabd -l no-realtime -d 'Pages only, no Socket.IO'
complete -c confabd -l allow-origin -x -d 'Let pages of this origin connect'
complete -c confabd -l allow-host -x -a '(__fish_print_hostnames)' -d 'Answer to this host name'
complete -c confabd -l provider -x -a 'auto builtin openai openai-responses anthropic ollama' \
    -d 'Who answers'
complete -c confabd -l base-url -x -d 'Model server'
complete -c confabd -l model -x -d 'Model to ask'
complete -c confabd -l session -d 'Be on the session bus, and nowhere without one'
complete -c confabd -l system -d 'Be on the system bus'
complete -c confabd -l no-bus -d 'Stay off D-Bus'
complete -c confabd -l replace -d 'Take the place of the Confab that runs on the bus'
complete -c confabd -l verbose -d 'Log more'
