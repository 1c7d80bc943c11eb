comm=$(command -v git-comm) || comm=@PROGRAM@
[ -x "$comm" ] || { printf '%s\n' "error: @HOOK@ cannot judge this commit: git-comm is neither on PATH nor at $comm" '' @HINT@ >&2; exit 1; }
exec "$comm" hook @HOOK@
