// Why viewers are sent where they are: every server that there is for one who asks from an address, with its price.

import { type Exchange, type Route, sendJson, sendProblem } from '../../network/http/http.ts';
import { formatAddress, parseAddress } from '../../network/map/address.ts';
import type { Atlas } from '../../network/map/atlas.ts';
import { quoted } from '../../network/names.ts';
import { explained } from '../explained.ts';
import { explain } from '../placement/explain.ts';
import type { Placer } from '../placement/placer.ts';

export interface ExplainOptions {
  readonly placer: Placer;
  readonly atlas: Pick<Atlas, 'locate'>;
  readonly site: string;
}

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

async function sendExplanation({ placer, atlas, site }: ExplainOptions, exchange: Exchange): Promise<void> {
  const { query } = exchange;
  const stream = query.get('stream') ?? '';
  const text = query.get('address') ?? '';
  const address = parseAddress(text);
  if (!address) {
    sendProblem(exchange, 400, 'Bad Request', `address=${quoted(text)} is no IP address`);
    return;
  }
  const written = formatAddress(address);
  const whence = atlas.locate(written);
  // Whoever asks twice hears the same: equal servers are told apart by the address.
  const request = { stream, viewer: written, whence, site, allowCdn: true };
  const explanation = explain(await placer.scene(), request);
  if (explanation) sendJson(exchange, explained(explanation, written));
  else sendProblem(exchange, 404, 'Not Found', `no stream ${quoted(stream)} is live`);
}
