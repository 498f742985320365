// Reads a command message (RTMP 1.0 7.2).

import { CodedError } from '../../network/errors.ts';
import { decodeAmf0 } from './rtmp.ts';

export interface RtmpCommand {
  readonly name: string;
  readonly transactionId: number;
  /** The message stream that it is about; 0 is the connection itself. */
  readonly streamId: number;
  /** The command object; empty when there is none. */
  readonly object: Readonly<Record<string, unknown>>;
  /** The first argument behind the command object. */
  readonly argument: unknown;
}

/** Throws `rtmp_bad_command` for a message that is none. */
export function readCommand(streamId: number, payload: Buffer): RtmpCommand {
  const [name, transactionId, object, argument] = decodeValues(payload);
  if (typeof name !== 'string') {
    throw new CodedError('rtmp_bad_command', `a command's name is a string, not ${typeof name}`);
  }
  return {
    name,
    transactionId: typeof transactionId === 'number' ? transactionId : 0,
    streamId,
    object: isRecord(object) ? object : {},
    argument,
  };
}

/** Name, transaction id, command object, first argument; what is behind them is not looked at. */
function decodeValues(payload: Buffer): unknown[] {
  const values: unknown[] = [];
  let offset = 0;
  while (offset < payload.length && values.length < 4) {
    const decoded = decodeAmf0(payload.subarray(offset));
    values.push(decoded.value);
    offset += decoded.len;
  }
  if (offset > payload.length)
    throw new CodedError('rtmp_bad_command', `a command of ${payload.length} bytes is cut short`);
  return values;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
