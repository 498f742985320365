// `headwater publish`: pushes a file to a server as a broadcaster would, an FLV file by itself and any other through ffmpeg.

import { open, readFile } from 'node:fs/promises';
import type { Clock } from '../../network/clock.ts';
import { type Command, defineCommand, type Outcome } from '../../network/command/command.ts';
import { durationText } from '../../network/command/durations.ts';
import { SECRET_OPTIONS, sign } from '../../network/command/signing.ts';
import type { Terminal } from '../../network/command/terminal.ts';
import { CodedError, reasonOf } from '../../network/errors.ts';
import { isStreamName, quoted, STREAM_NAME_RULE } from '../../network/names.ts';
import { END_OF_RECORDING } from '../sample/playback.ts';
import { publishOnce } from '../sample/publish-once.ts';
import { readRecording } from '../sample/recording.ts';

export interface PublishTools {
  readonly clock: Clock;
  /** Resolves when the process is to end. */
  readonly nextSignal: () => Promise<string>;
  /** Runs it to its end; it does not outlive this process. */
  readonly runFfmpeg: (program: string, args: readonly string[]) => Promise<RunningFfmpeg>;
}

interface RunningFfmpeg {
  readonly ended: Promise<{ readonly kind: 'done' } | { readonly kind: 'failed'; readonly reason: string }>;
  /** The reason is what `ended` tells. */
  kill(reason: string): void;
}

const KEY_MS = 86_400_000;
const RTMP_PORT = 1935;
const STOPPED = 'stopped';

export function publishCommand(tools: PublishTools): Command {
  return defineCommand({
    name: 'publish',
    summary: 'push a file to a server, as a broadcaster would',
    details: 'An FLV file as it is; any other, and to rtmps://, through ffmpeg, as H.264 and AAC.',
    arguments: { file: 'what to push', stream: 'the name to push it under' },
    options: {
      to: { value: '<url>', help: 'what broadcasters push to', default: 'rtmp://127.0.0.1/live' },
      key: { value: '<key>', help: 'to publish with; made of the secret when it is not given' },
      loop: { help: 'round and round, until it is stopped' },
      ffmpeg: { value: '<program>', help: 'the program', default: 'ffmpeg' },
      ...SECRET_OPTIONS,
    },
    examples: [
      ['headwater publish origin/sample/broadcast.flv alice --loop', 'to the server on this machine'],
      ['headwater publish film.mp4 alice --to rtmp://ams-1.example.org/live --key <key>', 'through ffmpeg'],
    ],
    async run(given, terminal) {
      const { file, stream } = given;
      if (!isStreamName(stream))
        throw new CodedError('bad_usage', `a stream's name is ${STREAM_NAME_RULE}; got ${quoted(stream)}`);
      const expiresAtMs = tools.clock.now() + KEY_MS;
      const grant = { purpose: 'publish', stream, expiresAtMs, session: '' } as const;
      const key = given.key ?? (await sign(given, grant));
      const push = { file, stream, key, to: targetOf(given.to), loops: given.loop === true };
      if (push.to.protocol === 'rtmp:' && (await isFlv(file))) return pushFlv(push, tools, terminal);
      return pushByFfmpeg(push, given.ffmpeg, tools);
    },
  });
}

interface Push {
  readonly file: string;
  readonly stream: string;
  readonly key: string;
  readonly to: URL;
  readonly loops: boolean;
}

function targetOf(text: string): URL {
  const url = URL.parse(text);
  if (url && /^rtmps?:$/.test(url.protocol) && url.pathname.length > 1) return url;
  throw new CodedError('bad_usage', `broadcasters push to rtmp://<host>/<app>; got ${quoted(text)}`);
}

/** Throws `not_found` when there is no such file. */
async function isFlv(file: string): Promise<boolean> {
  try {
    await using handle = await open(file);
    const { buffer } = await handle.read(Buffer.alloc(3), 0, 3, 0);
    return buffer.toString('latin1') === 'FLV';
  } catch (error) {
    throw new CodedError('not_found', `${file} can not be read: ${reasonOf(error)}`, { cause: error });
  }
}

async function pushFlv(
  push: Push,
  { clock, nextSignal }: PublishTools,
  terminal: Terminal,
): Promise<Outcome> {
  const { file, stream: name, key, to, loops } = push;
  const recording = readRecording(await readFile(file));
  const address = { host: to.hostname, port: Number(to.port) || RTMP_PORT, app: to.pathname.slice(1) };
  const stopping = new AbortController();
  nextSignal().then(() => stopping.abort());
  const bar = terminal.progress(recording.durationMs);
  const onProgress = (sentMs: number): void =>
    bar.update(sentMs % recording.durationMs, durationText(sentMs));
  const options = { ...address, name, key, recording, loops, clock, onProgress };
  const why = await publishOnce(options, stopping.signal).finally(() => bar.stop());
  if (why !== END_OF_RECORDING && !stopping.signal.aborted) throw new CodedError('not_published', why);
  return outcomeOf(push, stopping.signal.aborted);
}

async function pushByFfmpeg(
  push: Push,
  program: string,
  { nextSignal, runFfmpeg }: PublishTools,
): Promise<Outcome> {
  const { file, stream, key, to, loops } = push;
  const target = `${to.href.replace(/\/$/, '')}/${stream}?${new URLSearchParams({ key })}`;
  const input = ['-nostdin', '-v', 'error', '-re', ...(loops ? ['-stream_loop', '-1'] : []), '-i', file];
  const video = [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-force_key_frames',
    'expr:gte(t,n_forced)',
    '-bf',
    '0',
  ];
  const args = [...input, ...video, '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-f', 'flv', target];
  const ffmpeg = await runFfmpeg(program, args);
  nextSignal().then(() => ffmpeg.kill(STOPPED));
  const end = await ffmpeg.ended;
  const isStopped = end.kind === 'failed' && end.reason === STOPPED;
  if (end.kind === 'failed' && !isStopped)
    throw new CodedError('not_published', end.reason.replaceAll(key, '<key>'));
  return outcomeOf(push, isStopped);
}

function outcomeOf({ file, stream }: Push, isStopped: boolean): Outcome {
  const text = isStopped ? `${stream} was stopped\n` : `${file} is over\n`;
  return { value: { stream, file, isStopped }, text };
}
