# History survives a shell that is cut off, and several shells share it.
shopt -s histappend 2>/dev/null
HISTSIZE=10000 HISTFILESIZE=20000
PROMPT_COMMAND='history -a'
export EDITOR=nano PAGER=less
