// Changes of RTMP's messages (RTMP 1.0 5.3, 5.4) that leave them in whole chunks.

import type { Dice } from '../../../usher/simulator/dice.ts';
import { type Chunking, message } from '../../tools/rtmp/rtmp-bytes.ts';
import { changeBytes, changeOrder, EDGES, type FormatChange, repeatedly, type Stock } from '../mutate.ts';

type Message = Chunking & { readonly chunkStream: number; readonly payload: Uint8Array };

/** Whole messages, as far as there are any, and the bytes behind them. */
interface Messages {
  readonly messages: readonly Message[];
  readonly rest: Uint8Array;
}

export const changeMessages: FormatChange = (input, times, dice, stock) => {
  const { messages, rest } = messagesIn(input);
  const changed = repeatedly(messages, times, (some) => dice.pick(CHANGES)(some, dice, stock));
  return written({ messages: changed, rest });
};

type Change = (messages: readonly Message[], dice: Dice, stock: Stock) => readonly Message[];

const CHANGES: readonly Change[] = [
  (messages, dice, stock) =>
    inOne(messages, dice, (one) => ({ ...one, payload: changeBytes(one.payload, dice, stock) })),
  (messages, dice, stock) =>
    inOne(messages, dice, (one) => ({ ...one, payload: withWord(one.payload, dice, stock) })),
  (messages, dice) => inOne(messages, dice, (one) => ({ ...one, ...otherHeader(dice) })),
  (messages, dice, { pick }) => changeOrder(messages, dice, () => messagesIn(pick()).messages),
];

const SET_CHUNK_SIZE = 1;
const FIRST_CHUNK_SIZE = 128;
const HEADER_BYTES = [11, 7, 3, 0] as const;
const NO_TIME = 0xff_ffff;
/** Control, audio, video, data, commands in AMF3 and AMF0, and one that there is not. */
const TYPES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 17, 18, 20];
/** The first and last of one, two and three bytes. */
const CHUNK_STREAMS = [2, 3, 4, 63, 64, 319, 320, 65_599];

function inOne(
  messages: readonly Message[],
  dice: Dice,
  change: (message: Message) => Message,
): readonly Message[] {
  const at = dice.upTo(messages.length);
  return messages.length === 0 ? messages : messages.with(at, change(messages[at]!));
}

/** A word in place of one as long. */
function withWord(payload: Uint8Array, dice: Dice, { words }: Stock): Uint8Array {
  const word = dice.pick(words);
  const at = dice.upTo(payload.length + 1);
  return Buffer.concat([payload.subarray(0, at), word, payload.subarray(at + word.length)]);
}

function otherHeader(dice: Dice): Partial<Message> {
  const choice = dice.upTo(5);
  if (choice === 0) return { type: dice.pick(TYPES) };
  if (choice === 1) return { time: dice.pick(EDGES) };
  if (choice === 2) return { chunkStream: dice.pick(CHUNK_STREAMS) };
  if (choice === 3) return { streamId: dice.pick(EDGES) };
  return { format: dice.pick([0, 1, 2, 3]) };
}

function written({ messages, rest }: Messages): Uint8Array {
  let chunkSize = FIRST_CHUNK_SIZE;
  const chunks = messages.map((one) => {
    const bytes = message({ ...one, chunkSize });
    chunkSize = chunkSizeAfter(one) ?? chunkSize;
    return bytes;
  });
  return new Uint8Array(Buffer.concat([...chunks, rest]));
}

/** Messages whose chunks follow each other; what comes behind a chunk that does not go on is the rest. */
function messagesIn(input: Uint8Array): Messages {
  const bytes = Buffer.from(input);
  const messages: Message[] = [];
  let chunkSize = FIRST_CHUNK_SIZE;
  let at = 0;
  while (at < bytes.length) {
    const known = messages.findLast(({ chunkStream }) => chunkStream === chunkStreamAt(bytes, at)[0]);
    const read = messageAt(bytes, at, chunkSize, known);
    if (!read) break;
    messages.push(read.message);
    at = read.end;
    chunkSize = chunkSizeAfter(read.message) ?? chunkSize;
  }
  return { messages, rest: input.subarray(at) };
}

function chunkSizeAfter({ type, payload }: Message): number | undefined {
  if (type !== SET_CHUNK_SIZE || payload.length < 4) return undefined;
  return Math.min(Math.max(1, Buffer.from(payload).readUInt32BE(0)), 2 ** 16);
}

/** What the header leaves out is of the message before on the same chunk stream. */
function messageAt(
  bytes: Buffer,
  start: number,
  chunkSize: number,
  known: Message | undefined,
): { readonly message: Message; readonly end: number } | undefined {
  const format = (bytes[start]! >> 6) as 0 | 1 | 2 | 3;
  const [chunkStream, from] = chunkStreamAt(bytes, start);
  const body = from + HEADER_BYTES[format];
  if (body + 4 > bytes.length || (format > 0 && !known)) return undefined;
  const short = format < 3 ? bytes.readUIntBE(from, 3) : (known!.time ?? 0);
  const [time, payloadAt] = short === NO_TIME ? [bytes.readUInt32BE(body), body + 4] : [short, body];
  const length = format < 2 ? bytes.readUIntBE(from + 3, 3) : known!.payload.length;
  const type = format < 2 ? bytes[from + 6]! : known!.type;
  const streamId = format === 0 ? bytes.readUInt32LE(from + 7) : (known!.streamId ?? 0);
  const read = payloadOf(bytes, payloadAt, length, chunkSize, payloadAt - body + from - start);
  return (
    read && { message: { format, chunkStream, time, type, streamId, payload: read.payload }, end: read.end }
  );
}

/** `between` are the bytes of the header of each chunk but the first one. */
function payloadOf(
  bytes: Buffer,
  start: number,
  length: number,
  chunkSize: number,
  between: number,
): { readonly payload: Uint8Array; readonly end: number } | undefined {
  const parts: Uint8Array[] = [];
  let at = start;
  for (let left = length; left > 0; left -= chunkSize) {
    if (left < length) at += between;
    parts.push(bytes.subarray(at, at + Math.min(left, chunkSize)));
    at += Math.min(left, chunkSize);
    if (at > bytes.length) return undefined;
  }
  return { payload: Buffer.concat(parts), end: at };
}

/** And where the header goes on. */
function chunkStreamAt(bytes: Uint8Array, at: number): readonly [id: number, end: number] {
  const [first = 0, second = 0, third = 0] = bytes.subarray(at, at + 3);
  const short = first & 0x3f;
  if (short > 1) return [short, at + 1];
  return short === 0 ? [64 + second, at + 2] : [64 + second + 256 * third, at + 3];
}
