// Makes what a peer sent fit to be shown: in a log line, in a description that goes back over RTMP. Pure.

const SHOWN_CHARACTERS = 64;

/** At most `limit` characters of printable ASCII; others are written as `\u{..}`. */
export function printable(text: string, limit = SHOWN_CHARACTERS): string {
  let shown = '';
  for (const character of text) {
    const next = /^[ -~]$/.test(character) ? character : `\\u{${character.codePointAt(0)!.toString(16)}}`;
    if (shown.length + next.length > limit) return `${shown}...`;
    shown += next;
  }
  return shown;
}
