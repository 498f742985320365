// Parameters and answers that many operations share, as schemas.

import { RECORDING_ID } from '../archive/index-file.ts';
import { z } from '../config/yaml.ts';
import { PLACE_NAME, STREAM_NAME } from '../names.ts';
import { TOKEN } from '../token.ts';
import type { Answer } from './openapi.ts';

export const stream = z
  .string()
  .regex(STREAM_NAME)
  .meta({ description: 'Name of a stream.', example: 'alice' });

export const rendition = z.string().regex(STREAM_NAME).meta({ description: 'Its name.', example: 'source' });

export const server = z.string().regex(PLACE_NAME).meta({ description: 'Id of a server.', example: 'ams-1' });

export const recording = z
  .string()
  .regex(RECORDING_ID)
  .meta({ description: 'Id of a recording.', example: 'alice.mwpjqbk0' });

export const token = z
  .string()
  .regex(TOKEN)
  .meta({ description: 'Of the address that usher gave.', example: 'm2q3x5..qSx0b7Zk1yEo5uN8v9pTtA' });

export const HLS_TYPE = 'application/vnd.apple.mpegurl';

export function json(words: string, schema: z.ZodType): Answer {
  return { words, type: 'application/json', schema };
}

export function playlist(words: string): Answer {
  return { words, type: HLS_TYPE, schema: z.string() };
}

/** Bytes that never change under their name, or the range of them that was asked for. */
export function bytes(words: string, type: string): Readonly<Record<number, Answer>> {
  return { 200: { words, type }, 206: { words: 'The range that was asked for.', type } };
}

export function redirect(words: string): Answer {
  return { words, headers: z.object({ Location: z.string() }) };
}
