// Times and counts as viewers read them. Pure.

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** `just now`, `3 minutes ago`. */
export function agoText(ms: number): string {
  if (ms < MINUTE_MS) return 'just now';
  const [count, unit] = largest(ms);
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
}

function largest(ms: number): [count: number, unit: string] {
  if (ms < HOUR_MS) return [Math.floor(ms / MINUTE_MS), 'minute'];
  if (ms < DAY_MS) return [Math.floor(ms / HOUR_MS), 'hour'];
  return [Math.floor(ms / DAY_MS), 'day'];
}

/** `1:02:03`, `4:05`. */
export function lengthText(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  const pad = (count: number): string => String(count).padStart(2, '0');
  const hours = Math.floor(s / 3600);
  const minutes = Math.floor(s / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(s % 60)}` : `${minutes}:${pad(s % 60)}`;
}

/** `0.3 s`, `12 s`. */
export function secondsText(ms: number): string {
  const s = Math.max(0, ms) / 1000;
  return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
}

/** `1 viewer`, `1,234 viewers`, `12.3K viewers`. */
export function viewersText(count: number): string {
  return `${countText(count)} ${count === 1 ? 'viewer' : 'viewers'}`;
}

export function countText(count: number): string {
  const exact = 10_000;
  const options = count < exact ? {} : ({ notation: 'compact', maximumFractionDigits: 1 } as const);
  return count.toLocaleString('en', options);
}
