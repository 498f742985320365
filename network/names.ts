// Which names streams, servers, hosts and sites may have: they stand in URLs, file names, metrics and logs, so little is allowed.

export const STREAM_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

export const STREAM_NAME_RULE = '1 to 64 letters, digits, "_", "." and "-", beginning with a letter or digit';

export function isStreamName(name: string): boolean {
  return STREAM_NAME.test(name);
}

export const PLACE_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

export const PLACE_NAME_RULE = 'a name is 1 to 64 letters, digits, "_", "." and "-"';

/** Of a server, a host or a site. */
export function isPlaceName(name: string): boolean {
  return PLACE_NAME.test(name);
}

/** A value from outside, fit for a message: at most 80 characters, control characters escaped, in quotation marks. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(String(value).slice(0, 80)) ?? '""';
  return `'${text.slice(1, -1)}'`;
}
