// What the operators' console asks usher, described: other tools of operators may ask it too.

import { z } from '../../network/config/yaml.ts';
import type { Answer, Operation } from '../../network/openapi/openapi.ts';
import { json, redirect, server, stream } from '../../network/openapi/words.ts';
import { CURVES, EVENT_LIST, ME, SERVER_ANSWER, SITE_ANSWER, SPEND, STREAM_ANSWER } from './figures.ts';

const site = z.string().meta({ description: 'Name of a site.', example: 'ams' });

/** Whoever may not is told so in the same words everywhere. */
function asked(
  id: string,
  path: string,
  summary: string,
  answer: Answer,
  params?: Operation['params'],
): Operation {
  return {
    id,
    listener: 'usher',
    method: 'GET',
    tag: 'Console',
    asker: 'operator',
    path: `/api/console${path}`,
    summary,
    ...(params ? { params } : {}),
    answers: { 200: answer },
    problems: [401, 403, 404],
  };
}

const LIVE: Operation = {
  ...asked('listen', '/live', 'What changes in the cluster, as server-sent events', {
    words: '`cluster`, then `change` at most once a second; `stream` and `stream-change`; `events`.',
    type: 'text/event-stream',
    schema: z.string(),
  }),
  details:
    'The data of `cluster` is a Cluster, of `change` a JSON Merge Patch (RFC 7396) of it; so it is with `stream` and `stream-change` for the streams that were asked for.',
  query: z.object({
    stream: z.string().optional().meta({ description: 'Also its tree. May stand more than once.' }),
  }),
  problems: [400, 401, 403, 503],
};

const THUMBNAIL: Operation = {
  ...asked(
    'getStreamPicture',
    '/streams/{stream}/thumbnail',
    'A picture of a stream',
    json('', z.string()),
    z.object({ stream }),
  ),
  answers: { 307: redirect('Where it lies.') },
};

export const CONSOLE_OPERATIONS: readonly Operation[] = [
  asked('whoAmI', '/me', 'Who is signed in', json('An operator.', ME)),
  LIVE,
  asked('listEvents', '/events', 'What happened of late', json('The newest last.', EVENT_LIST)),
  asked('getHistory', '/history', 'The last hour of the cluster', json('Curves.', CURVES)),
  asked(
    'getHistoryOf',
    '/history/{kind}/{id}',
    'The last hour of a stream, a server or a site',
    json('Curves.', CURVES),
    z.object({ kind: z.enum(['streams', 'servers', 'sites']), id: z.string() }),
  ),
  asked('getSpend', '/spend', 'What this month has cost', json('Of CDNs and transit.', SPEND)),
  asked(
    'getServer',
    '/servers/{server}',
    'A server',
    json('With what it holds.', SERVER_ANSWER),
    z.object({ server }),
  ),
  asked(
    'getSite',
    '/sites/{site}',
    'A site',
    json('With its servers and links.', SITE_ANSWER),
    z.object({ site }),
  ),
  asked(
    'getStreamTrees',
    '/streams/{stream}',
    'A stream with its trees',
    json('It is live.', STREAM_ANSWER),
    z.object({ stream }),
  ),
  THUMBNAIL,
];
