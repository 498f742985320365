// A number that is the same for the same words everywhere, and spread evenly: it shares things out without a dice. Pure.

/** FNV-1a with 32 bits, its end mixed as by MurmurHash3: words that differ in the last letter are far apart. */
export function rendezvous(...words: readonly string[]): number {
  return mixed(hashOf(words.join('\n')));
}

/** FNV-1a with 32 bits: what is kept of a word that is put together with many others by `meet`. */
export function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193);
  return hash;
}

/** Rank of two words for each other, by their hashes. */
export function meet(one: number, other: number): number {
  return mixed(Math.imul(one ^ 0x9e3779b9, 0x01000193) ^ other);
}

function mixed(hash: number): number {
  let mix = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return (mix ^ (mix >>> 16)) >>> 0;
}
