// What origin and edge must agree on about HLS: the one cuts by it, the other promises it to players. Pure.

/**
 * PART-TARGET, which no part may exceed (RFC 8216bis 4.4.4.9). Parts are cut to 200 ms, and those are the 85 % of it that a
 * part may not fall short of. A constant: a playlist may not change it, and all servers must say the same.
 */
export const PART_MAX_MS = 235;
