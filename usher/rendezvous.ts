// A number that is the same for the same words everywhere, and spread evenly: it shares things out without a dice. Pure.

/** FNV-1a with 32 bits, its end mixed as by MurmurHash3: words that differ in the last letter are far apart. */
export function rendezvous(...words: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const letter of words.join('\n')) hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
