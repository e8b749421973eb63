# Counts the words of an event: a JSON string without escapes.
count() {
  local event
  read -r event
  case $event in
    \"*\") event=${event#\"} event=${event%\"} ;;
    *) echo "the event is not a string" >&2; return 3 ;;
  esac
  set -f
  set -- $event
  echo "counted $# words" >&2
  printf '{"words":%d}' $#
}
