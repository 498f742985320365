// What origin and edge must agree on about HLS: the one cuts by it, the other promises it to players. Pure.

/**
 * PART-TARGET, which no part may exceed and all but the last of a segment must reach 85 % of (RFC 8216bis 4.4.4.9): 191 ms.
 * Between the two lie parts that are cut nearest to 200 ms, at all usual rates: 192 ms of AAC at 48 kHz, 200 at 25, 30, 50 and
 * 60 Hz, 208 at 24. A constant: a playlist may not change it, and all servers must say the same.
 */
export const PART_MAX_MS = 225;
