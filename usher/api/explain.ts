// Why viewers are sent where they are: every server that there is for one who asks from an address or a place, with its price.

import { z } from '../../network/config/yaml.ts';
import { sendJson, sendProblem } from '../../network/http/answers.ts';
import type { Exchange } from '../../network/http/exchange.ts';
import type { Route } from '../../network/http/http.ts';
import { formatAddress, parseAddress } from '../../network/map/address.ts';
import type { Atlas } from '../../network/map/atlas.ts';
import type { Position } from '../../network/map/position.ts';
import type { Whence } from '../../network/map/whence.ts';
import { quoted } from '../../network/names.ts';
import { explained } from '../explained/explained.ts';
import type { Operators } from '../operators/operators.ts';
import { explain } from '../placement/explain.ts';
import type { Placer } from '../placement/placer.ts';

export interface ExplainOptions {
  readonly placer: Placer;
  readonly atlas: Pick<Atlas, 'locate'>;
  readonly site: string;
  readonly operators: Operators;
}

const PLACE = /^-?\d{1,2}(?:\.\d+)?,-?\d{1,3}(?:\.\d+)?$/;

/** An address, unless there is a place. */
export const EXPLAIN_QUERY = z
  .object({
    stream: z.string('is missing').meta({ description: 'Name of a stream that is live.', example: 'alice' }),
    address: z.string().optional().meta({ description: 'IP address of a viewer.', example: '192.0.2.7' }),
    place: z
      .string()
      .regex(PLACE, 'is no latitude and longitude, as 52.3,4.8')
      .refine(isOnEarth, 'is no latitude and longitude, as 52.3,4.8')
      .optional()
      .meta({ description: 'Or where a viewer is: latitude and longitude.', example: '52.3,4.8' }),
  })
  .refine(({ address = '', place }) => place !== undefined || parseAddress(address) !== undefined, {
    path: ['address'],
    message: 'is no IP address',
  });

export function explainRoutes(options: ExplainOptions): Route[] {
  return [
    {
      kind: 'explain',
      method: 'GET',
      pattern: /^\/api\/explain$/,
      handle: (exchange) => sendExplanation(options, exchange),
    },
  ];
}

async function sendExplanation(
  { placer, atlas, site, operators }: ExplainOptions,
  exchange: Exchange,
): Promise<void> {
  if (!operators.admit(exchange)) return;
  const question = readQuestion(exchange, atlas);
  if (!question) return;
  const { stream, name, whence } = question;
  // Whoever asks twice hears the same: equal servers are told apart by the address.
  const request = { stream, viewer: name, whence, site, allowCdn: true };
  const explanation = explain(await placer.scene(), request);
  if (explanation) sendJson(exchange, explained(explanation, name));
  else sendProblem(exchange, 404, 'Not Found', `no stream ${quoted(stream)} is live`);
}

interface Question {
  readonly stream: string;
  /** The viewer's address, or its place where that is all that is known. */
  readonly name: string;
  readonly whence: Whence;
}

/** Undefined when it has been answered that it makes no sense. */
function readQuestion(exchange: Exchange, atlas: ExplainOptions['atlas']): Question | undefined {
  const asked = EXPLAIN_QUERY.safeParse(Object.fromEntries(exchange.query));
  if (!asked.success) {
    const [
      {
        path: [name = ''],
        message,
      },
    ] = asked.error.issues as [z.core.$ZodIssue];
    const got = quoted(exchange.query.get(String(name)) ?? '');
    sendProblem(exchange, 400, 'Bad Request', `${String(name)}=${got} ${message}`);
    return undefined;
  }
  const { stream, place, address } = asked.data;
  if (place !== undefined) return { stream, name: place, whence: { position: positionIn(place) } };
  const name = formatAddress(parseAddress(address!)!);
  return { stream, name, whence: atlas.locate(name) };
}

function positionIn(place: string): Position {
  const [latitude, longitude] = place.split(',').map(Number) as [number, number];
  return { latitude, longitude };
}

function isOnEarth(place: string): boolean {
  const { latitude, longitude } = positionIn(place);
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
}
