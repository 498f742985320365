// Kinds of values that several parts of the configuration hold.

import { parsePrefix } from '../../map/address.ts';
import { isPlaceName, PLACE_NAME_RULE } from '../../names.ts';
import { z } from '../yaml.ts';

export const port = z.int().min(0).max(65_535);
export const file = z.string().min(1);
/** One, or a list of them. */
export const files = z
  .union([z.array(file).max(16), file], 'a file, or a list of files')
  .transform((one) => [one].flat());
/** Without a slash at its end. */
export const baseUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/(?<!\/)\/+$/, ''));
export const placeName = z.string().refine(isPlaceName, PLACE_NAME_RULE);
/** The name of a stream, or the beginning of some and `*`. */
export const streamPattern = z.string().min(1).max(65);
/** With the text that it was. */
export const addressPrefix = z.string().transform((text, context) => {
  const range = parsePrefix(text);
  if (!range)
    context.addIssue({ code: 'custom', message: 'an address, or a prefix as 10.0.0.0/8', input: text });
  return range ? { ...range, text } : z.NEVER;
});
