// `headwater drain` and `undrain`: has an usher empty a server before work on it, or use it again.

import { sleep } from '../../../network/clock.ts';
import { type Command, defineCommand } from '../../../network/command/command.ts';
import { durationText, readDurationMs } from '../../../network/command/durations.ts';
import { SECRET_OPTIONS } from '../../../network/command/signing.ts';
import type { Terminal } from '../../../network/command/terminal.ts';
import { CodedError } from '../../../network/errors.ts';
import { isPlaceName, PLACE_NAME_RULE, quoted } from '../../../network/names.ts';
import type { Drain, KnownServer } from '../../../network/state/state.ts';
import {
  answerOf,
  type GivenUsher,
  signed,
  TIMEOUT_MS,
  USHER_OPTIONS,
  type UsherTools,
  usherUrl,
} from '../ask-usher.ts';
import { askCluster } from './ask-cluster.ts';
import { type LeftOn, leftOn, leftText } from './drain-text.ts';

const ARGUMENTS = { server: 'the id of a server' } as const;
const WAIT_OPTIONS = {
  wait: { help: 'come back when it is done' },
  timeout: { value: '<time>', help: 'with --wait: come back with 3 when it takes longer', default: '1h' },
} as const;
const LOOK_MS = 500;

export function drainCommand(tools: UsherTools): Command {
  return defineCommand({
    name: 'drain',
    summary: 'empty a server before work on it',
    details:
      'It gets no new viewers, and those that watch move on. Broadcasts stay until they end, or the deadline.',
    arguments: ARGUMENTS,
    options: {
      deadline: { value: '<time>', help: 'end broadcasts that are still there then, as 90s, 15m, 2h' },
      ...WAIT_OPTIONS,
      ...USHER_OPTIONS,
      ...SECRET_OPTIONS,
    },
    examples: [
      ['headwater drain ams-1', 'its process ends when nothing is left'],
      ['headwater drain ams-1 --deadline 30m --wait', 'with a bar; comes back when it is empty'],
    ],
    async run(given, terminal) {
      const { server, usher, deadline } = given;
      const url = drainUrl(usher, server);
      const deadlineMs = deadline === undefined ? undefined : readDurationMs(deadline);
      const timeoutMs = readDurationMs(given.timeout);
      const headers = await signed(given, { purpose: 'operate', stream: server }, tools.clock);
      const value = deadlineMs === undefined ? {} : { deadlineS: deadlineMs / 1000 };
      const order = { method: 'POST', url, headers, value } as const;
      const { drain } = await answerOf(url, tools.sendOrder(order, TIMEOUT_MS));
      if (given.wait) return untilEmpty({ ...tools, ...given, timeoutMs }, drain as Drain, terminal);
      const end = deadlineMs === undefined ? 'until they end' : `for ${durationText(deadlineMs)} at most`;
      const text = `${server} is being emptied; its broadcasts stay ${end}. \`headwater status\` says what is left\n`;
      return { value: { server, drain, isEmpty: false }, text };
    },
  });
}

export function undrainCommand(tools: UsherTools): Command {
  return defineCommand({
    name: 'undrain',
    summary: 'use a server again that was to be emptied',
    arguments: ARGUMENTS,
    options: { ...WAIT_OPTIONS, ...USHER_OPTIONS, ...SECRET_OPTIONS },
    examples: [
      ['headwater undrain ams-1', 'viewers come back to it'],
      ['headwater undrain ams-1 --wait', 'comes back when it has heard of it'],
    ],
    async run(given) {
      const { server, usher } = given;
      const url = drainUrl(usher, server);
      const timeoutMs = readDurationMs(given.timeout);
      const headers = await signed(given, { purpose: 'operate', stream: server }, tools.clock);
      await answerOf(url, tools.sendOrder({ method: 'DELETE', url, headers }, TIMEOUT_MS));
      if (given.wait)
        await watch({ ...tools, ...given, timeoutMs }, (known) => known !== undefined && !known.drain);
      return { value: { server, drain: null }, text: `${server} takes viewers again\n` };
    },
  });
}

function drainUrl(usher: string, server: string): string {
  if (isPlaceName(server)) return usherUrl(usher, `/api/servers/${server}/drain`);
  throw new CodedError('bad_usage', `the id of a server is ${PLACE_NAME_RULE}; got ${quoted(server)}`);
}

interface Watched extends UsherTools, GivenUsher {
  readonly server: string;
  readonly timeoutMs: number;
}

/** A server that has nothing left may still be there, as one that began while it was wanted empty; or its process has ended. */
async function untilEmpty(watched: Watched, drain: Drain, terminal: Terminal) {
  const { server } = watched;
  let most = 0;
  const bar = terminal.progress(100);
  try {
    await watch(watched, (known, left) => {
      most = Math.max(most, totalOf(left));
      bar.update(most === 0 ? 100 : 100 * (1 - totalOf(left) / most), leftText(left));
      return !known || (known.drain !== null && totalOf(left) === 0);
    });
  } finally {
    bar.stop();
  }
  return { value: { server, drain, isEmpty: true }, text: `${server} is empty\n` };
}

/** Looks at the cluster until something is so. Throws `not_ready`. */
async function watch(
  watched: Watched,
  isDone: (known: KnownServer | undefined, left: LeftOn) => boolean,
): Promise<void> {
  const { server, timeoutMs, clock } = watched;
  const untilMs = clock.monotonic() + timeoutMs;
  for (;;) {
    const snapshot = await askCluster(watched, watched);
    const known = snapshot.servers.find(({ id }) => id === server);
    const left = leftOn(snapshot, known);
    if (isDone(known, left)) return;
    if (clock.monotonic() >= untilMs)
      throw new CodedError(
        'not_ready',
        `${server} is not so far after ${durationText(timeoutMs)}: ${leftText(left)}`,
      );
    await sleep(clock, LOOK_MS);
  }
}

function totalOf({ viewers, broadcasts, copies }: LeftOn): number {
  return viewers + broadcasts + copies;
}
