// Where a broadcaster wants to publish, out of the arguments of `connect` and `publish`. Pure.

import { CodedError } from '../../network/errors.ts';
import { printable } from './printable.ts';

export interface ConnectTarget {
  readonly app: string;
  readonly query: Readonly<Record<string, string>>;
  /** By which name this server was reached. */
  readonly hostname: string;
  /** The broadcaster can be asked to reconnect elsewhere. */
  readonly canReconnect: boolean;
}

export interface PublishTarget {
  readonly app: string;
  readonly query: Readonly<Record<string, string>>;
  readonly name: string;
}

/** CapsExMask.Reconnect of E-RTMP v2, "Enhancing NetConnection connect Command". */
export const RECONNECT = 1;

const APP = /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const EVERY_ADDRESS = ['0.0.0.0', '[::]'];
const APP_CHARACTERS = 128;
const QUERY_CHARACTERS = 4_096;

/**
 * Reads the command object of `connect` (RTMP 1.0 7.2.1.1). Encoders that take the whole URL in one field put its
 * query on the app and on `tcUrl` when the name is missing from the path, so that all three places are read.
 */
export function readConnect(object: Readonly<Record<string, unknown>>): ConnectTarget {
  const [app, appQuery] = splitQuery(text(object.app, 'app'));
  const trimmed = app.replace(/^\/+|(?<!\/)\/+$/g, '');
  if (trimmed.length > APP_CHARACTERS || !APP.test(trimmed)) {
    throw rejected(`the app '${printable(app)}' is not one: publish to rtmp://host/live/<name>`);
  }
  const url = readUrl(text(object.tcUrl, 'tcUrl'));
  const canReconnect = typeof object.capsEx === 'number' && (object.capsEx & RECONNECT) !== 0;
  const query = { ...readQuery(url.search), ...readQuery(appQuery) };
  return { app: trimmed, query, hostname: url.hostname, canReconnect };
}

/**
 * The tcUrl at which a broadcaster goes on at another server, with what it said in its own. It takes its stream over there: the
 * new connection is made before the old one is left.
 */
export function reconnectUrl({ app, query, hostname }: ConnectTarget, rtmpUrl: string): string {
  const url = new URL(rtmpUrl);
  if (EVERY_ADDRESS.includes(url.hostname)) url.hostname = hostname;
  url.pathname = `/${app}`;
  url.search = new URLSearchParams({ ...query, takeover: '1' }).toString();
  return url.href;
}

/** Adds the stream's name, the first argument of `publish` (7.2.2.6): `<name>` or `<name>?key=<key>`. */
export function readPublish(connect: ConnectTarget, argument: unknown): PublishTarget {
  if (typeof argument !== 'string') throw badName('publish names no stream');
  const [name, query] = splitQuery(argument);
  if (!NAME.test(name)) {
    throw badName(
      `the stream name '${printable(name)}' is not one: 1 to 64 letters, digits, '_', '.' and '-', a letter or digit first`,
    );
  }
  return { app: connect.app, name, query: { ...connect.query, ...readQuery(query) } };
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw rejected(`connect has no ${what}`);
  return value;
}

function splitQuery(value: string): [path: string, query: string] {
  const mark = value.indexOf('?');
  return mark === -1 ? [value, ''] : [value.slice(0, mark), value.slice(mark + 1)];
}

function readUrl(tcUrl: string): URL {
  const url = URL.parse(tcUrl);
  if (url?.protocol !== 'rtmp:' && url?.protocol !== 'rtmps:') {
    throw rejected(`the tcUrl '${printable(tcUrl)}' is no rtmp:// URL`);
  }
  return url;
}

function readQuery(query: string): Record<string, string> {
  if (query.length > QUERY_CHARACTERS) {
    throw rejected(`a query of ${query.length} characters is longer than ${QUERY_CHARACTERS}`);
  }
  return Object.fromEntries(new URLSearchParams(query));
}

function rejected(description: string): CodedError {
  return new CodedError('NetConnection.Connect.Rejected', description);
}

function badName(description: string): CodedError {
  return new CodedError('NetStream.Publish.BadName', description);
}
