# Tell what the git folders that are its arguments have not committed or not pushed.
# One record a line of calls, every field ended by a NUL. Branch names hold no newline: git refuses
# them. Folders can, so they are never read line by line.
command -v git >/dev/null || { printf 'no-git\0'; exit; }
command -v timeout >/dev/null || timeout() { shift; "$@"; }
g() { timeout 5 sh -c 'ulimit -u 1 || ulimit -p 1; exec git "$@"' git -C "$folder" \
  -c core.fsmonitor=false -c core.hooksPath=/dev/null -c core.preloadIndex=false \
  -c safe.directory='*' "$@" 2>/dev/null; }
number() { n=$("$@"); printf '%s\0' "${n:-0}"; }
changed() { g status --porcelain=v1 -z --no-renames --untracked-files=normal --ignore-submodules \
  | tr -cd '\000' | wc -c | tr -d ' '; }
# What .gitattributes can have git start: each is set to nothing, over what the repository says.
without_filters() {
  GIT_CONFIG_COUNT=0
  while IFS= read -r key; do
    [ -n "$key" ] || continue
    export "GIT_CONFIG_KEY_$GIT_CONFIG_COUNT=$key" "GIT_CONFIG_VALUE_$GIT_CONFIG_COUNT="
    GIT_CONFIG_COUNT=$((GIT_CONFIG_COUNT + 1))
  done <<END
$(g config --name-only --get-regexp '^filter\..*\.(clean|process|required)$')
END
  export GIT_CONFIG_COUNT
}
count=0
for path; do
  count=$((count + 1)); [ $count -gt 40 ] && { printf 'more\0'; break; }
  folder=${path%/.git}
  g rev-parse --is-inside-work-tree >/dev/null || continue
  without_filters
  printf 'folder\0%s\0' "$folder"
  printf 'changed\0'; number changed
  printf 'stashes\0'; number g rev-list --walk-reflogs --count refs/stash
  printf 'remotes\0'; g remote | wc -l | tr -d ' \n'; printf '\0'
  g for-each-ref --count=20 --sort=-committerdate --format='%(refname)' refs/heads |
    while IFS= read -r branch; do
      printf 'branch\0%s\0' "${branch#refs/heads/}"
      number g rev-list --count "$branch" --not --remotes
    done
  g symbolic-ref -q HEAD >/dev/null || {
    printf 'branch\0\0'; number g rev-list --count HEAD --not --branches --remotes; }
done
