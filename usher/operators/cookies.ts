// Cookies (RFC 6265bis) as usher sets and reads them: never seen by scripts, never sent along by other sites' forms. Pure.

export interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** 0 takes it away. */
  readonly maxAgeS: number;
  /** Sent over TLS alone. */
  readonly isSecure: boolean;
}

/** `Lax`: whoever follows a link to the console, or comes back from signing in elsewhere, is known. */
export function setCookie({ name, value, path, maxAgeS, isSecure }: Cookie): string {
  const secure = isSecure ? '; Secure' : '';
  return `${name}=${value}; Path=${path}; Max-Age=${maxAgeS}; HttpOnly; SameSite=Lax${secure}`;
}

/** Empty when there is none. */
export function cookieIn(header: string | undefined, name: string): string {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
}
