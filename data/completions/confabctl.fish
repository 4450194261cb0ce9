# SPDX-License-Identifier: GPL-3.0-or-later
# fish completion for confabctl

set -l commands status open chat sessions modules history branch stop monitor token providers \
    export import

# Ids and titles of what confabctl lists, of the bus that the command line names.
function __confabctl_list
    set -l system
    contains -- --system (commandline -opc); and set system --system
    confabctl $system $argv 2>/dev/null </dev/null | cut -f 1,2
end

complete -c confabctl -f
complete -c confabctl -s h -l help -d 'Say what there is'
complete -c confabctl -l json -d 'Answer in JSON, for programs'
complete -c confabctl -l system -d 'The Confab of the system bus'
complete -c confabctl -l version -d 'Print the version'

set -l none "not __fish_seen_subcommand_from $commands"
complete -c confabctl -n $none -a status -d 'How Confab is'
complete -c confabctl -n $none -a open -d 'Open the page in the browser, signed in'
complete -c confabctl -n $none -a chat -d 'Ask, and write the answer as it comes'
complete -c confabctl -n $none -a sessions -d 'List the sessions'
complete -c confabctl -n $none -a modules -d 'List the conversations'
complete -c confabctl -n $none -a history -d 'What was said in a conversation'
complete -c confabctl -n $none -a branch -d 'Go back to what was answered or asked before'
complete -c confabctl -n $none -a stop -d 'Stop the answer that is being written'
complete -c confabctl -n $none -a monitor -d 'Show what happens, until Ctrl-C'
complete -c confabctl -n $none -a token -d 'Print the token, or a new one'
complete -c confabctl -n $none -a providers -d 'List who can answer, or change a key'
complete -c confabctl -n $none -a export -d 'Write sessions as JSON, whole'
complete -c confabctl -n $none -a import -d 'Add what was exported, all or nothing'

complete -c confabctl -n '__fish_seen_subcommand_from open history stop' \
    -a '(__confabctl_list modules)'
complete -c confabctl -n '__fish_seen_subcommand_from modules' -a '(__confabctl_list sessions)'
complete -c confabctl -n '__fish_seen_subcommand_from token' -a rotate
complete -c confabctl -n '__fish_seen_subcommand_from providers
    and not __fish_seen_subcommand_from set-key clear-key' -a 'set-key clear-key'
complete -c confabctl -n '__fish_seen_subcommand_from set-key clear-key' \
    -a '(__confabctl_list providers)'
complete -c confabctl -n '__fish_seen_subcommand_from export import' -F

complete -c confabctl -n '__fish_seen_subcommand_from open' -l print \
    -d 'Print the address, open nothing'
complete -c confabctl -n '__fish_seen_subcommand_from open' -l new -d 'Open a new chat'
complete -c confabctl -n '__fish_seen_subcommand_from chat' -s m -l module -x \
    -a '(__confabctl_list modules)' -d 'Continue, or begin, this conversation'
complete -c confabctl -n '__fish_seen_subcommand_from branch' -s m -l module -x \
    -a '(__confabctl_list modules)' -d 'This conversation'
complete -c confabctl -n '__fish_seen_subcommand_from monitor' -l chunks \
    -d 'Show the text of answers as well'
complete -c confabctl -n '__fish_seen_subcommand_from history' -l limit -x \
    -d 'Only the newest messages'
complete -c confabctl -n '__fish_seen_subcommand_from export' -l session -x \
    -a '(__confabctl_list sessions)' -d 'Export this session'
complete -c confabctl -n '__fish_seen_subcommand_from import' -l all-parameters \
    -d 'Keep tools and the like, too'
