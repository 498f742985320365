// Figures as the console writes them: short, in fixed places, with their units. Pure.

/** `12 345`. */
export function counted(value: number): string {
  return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
}

/** `1 viewer`, `12 viewers`. */
export function countOf(value: number, thing: string): string {
  return `${counted(value)} ${thing}${value === 1 ? '' : 's'}`;
}

/** `940 kbps`, `4.2 Mbps`, `1.28 Gbps`. */
export function rate(mbps: number): string {
  if (mbps >= 1_000) return `${(mbps / 1_000).toFixed(mbps >= 100_000 ? 0 : mbps >= 10_000 ? 1 : 2)} Gbps`;
  if (mbps >= 1 || mbps === 0) return `${mbps.toFixed(mbps >= 100 || mbps === 0 ? 0 : 1)} Mbps`;
  return `${Math.round(mbps * 1_000)} kbps`;
}

/** Arrivals: `0.4`, `12`. */
export function perSecond(value: number): string {
  return value >= 10 || value === 0 ? counted(value) : value.toFixed(1);
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** `$0.42`, `$1 280`. */
export function dollars(microUsd: number): string {
  const usd = microUsd / 1e6;
  return usd >= 100 ? `$${counted(usd)}` : `$${usd.toFixed(2)}`;
}

/** `48 s`, `12 min`, `3 h 20 min`, `4 d 2 h`. */
export function lasting(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1_000));
  if (s < 60) return `${s} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `09:05:12`, in the place of whoever looks. */
export function timeOfDay(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB');
}

/** How near to full something is, as a word that styles know. */
export function strain(share: number): 'calm' | 'busy' | 'full' {
  return share >= 0.9 ? 'full' : share >= 0.7 ? 'busy' : 'calm';
}
