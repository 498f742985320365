// Which names streams may have: they stand in URLs, file names, metrics and logs, so little is allowed.

const STREAM_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

export const STREAM_NAME_RULE = '1 to 64 letters, digits, "_", "." and "-", beginning with a letter or digit';

export function isStreamName(name: string): boolean {
  return STREAM_NAME.test(name);
}

/** A value from outside, fit for a message: at most 80 characters, control characters escaped, in quotation marks. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(String(value).slice(0, 80)) ?? '""';
  return `'${text.slice(1, -1)}'`;
}
