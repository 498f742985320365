// The door to zod-openapi: what programs may ask over HTTP as an OpenAPI 3.1 document, made of the schemas that validate requests.

import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiOverride,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import { z } from '../config/yaml.ts';

export type ApiDocument = ReturnType<typeof createDocument>;

/** Who may ask. `viewer`: with a token where playback is signed. `owner`: with the key that publishes the stream. */
export type Asker = 'anybody' | 'viewer' | 'owner' | 'operator';

export interface Answer {
  readonly words: string;
  /** Without one there is no body. */
  readonly type?: string;
  /** Of JSON; without it the body is text or bytes. */
  readonly schema?: z.ZodType;
  readonly headers?: z.ZodObject;
}

/** One thing that may be asked. `path` is a template of OpenAPI: `/api/streams/{stream}`. */
export interface Operation {
  readonly id: string;
  readonly listener: 'usher' | 'media' | 'both';
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly details?: string;
  readonly asker: Asker;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  /** By media type. */
  readonly body?: Readonly<Record<string, z.ZodType>>;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Statuses of refusals that a problem document says the reason of. */
  readonly problems?: readonly number[];
}

export interface Tag {
  readonly name: string;
  readonly description: string;
}

export interface About {
  readonly version: string;
  readonly description: string;
  readonly tags: readonly Tag[];
  /** Of what is described in words alone, by name. */
  readonly schemas: Readonly<Record<string, z.ZodType>>;
}

const PROBLEM = z
  .object({
    title: z.string().meta({ description: 'Of the status.' }),
    status: z.int(),
    detail: z.string().meta({ description: 'What was wrong, in words, with the value.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457; its type is `about:blank`.' });

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'What was asked makes no sense.',
  401: 'It is not known who asks.',
  403: 'A token is missing, has expired or is for something else.',
  404: 'There is no such thing.',
  409: 'Not as long as it is live.',
  413: 'The body is too long.',
  416: 'The range is not there.',
  429: 'Not now: more come, or more is fetched, than may at a time.',
  502: 'The server that has it answered with nonsense.',
  503: 'Not now: there is no room, or whoever has it is away.',
  507: 'No more can be kept.',
};

const RETRY_AFTER = z.object({
  'Retry-After': z.string().optional().meta({ description: 'Seconds.', example: '5' }),
});

/** The kinds of credentials, as `components.securitySchemes` names them. */
const SECURITY_SCHEMES = {
  operatorToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'Of `headwater keys make operate <server>`.',
  },
  operatorCookie: {
    type: 'apiKey',
    in: 'cookie',
    name: 'headwater_operator',
    description: 'Of an operator who signed in on `/console/sign-in`.',
  },
  publishKey: { type: 'http', scheme: 'bearer', description: 'The key that publishes the stream.' },
  publishKeyInQuery: { type: 'apiKey', in: 'query', name: 'key', description: 'The same.' },
  playToken: {
    type: 'apiKey',
    in: 'query',
    name: 'token',
    description: 'Of `headwater keys make play <stream>`, where `playback.access` is `signed`.',
  },
} as const;

type Requirement = Partial<Record<keyof typeof SECURITY_SCHEMES, string[]>>;

const REQUIREMENTS: Readonly<Record<Asker, Requirement[]>> = {
  anybody: [],
  viewer: [{}, { playToken: [] }],
  owner: [{ publishKey: [] }, { publishKeyInQuery: [] }],
  operator: [{ operatorToken: [] }, { operatorCookie: [] }],
};

const USHER = {
  url: 'http://{host}:8080',
  description: 'An usher',
  variables: { host: { default: 'localhost' } },
};
const MEDIA = {
  url: 'http://{host}:8081',
  description: 'A server: usher says which',
  variables: { host: { default: 'localhost' } },
};
const SERVERS = { usher: [USHER], media: [MEDIA], both: [USHER, MEDIA] } as const;

export function describeApi(operations: readonly Operation[], about: About): ApiDocument {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const operation of operations) {
    paths[operation.path] ??= {};
    paths[operation.path]![operation.method.toLowerCase()] = operationObject(operation);
  }
  const document = {
    openapi: '3.1.1' as const,
    info: {
      title: 'Headwater',
      version: about.version,
      description: about.description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [USHER],
    tags: about.tags.map((tag) => ({ ...tag })),
    paths: paths as ZodOpenApiPathsObject,
    components: { schemas: about.schemas, securitySchemes: SECURITY_SCHEMES },
  };
  return createDocument(document, { override: mayGainFields });
}

/** Answers may have more some day, and clients are not to mind. */
function mayGainFields({ io, jsonSchema }: Parameters<ZodOpenApiOverride>[0]): void {
  if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
}

function operationObject(operation: Operation): ZodOpenApiOperationObject {
  const { id, listener, tag, summary, details, asker, params, query, headers, body } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(details === undefined ? {} : { description: details }),
    security: REQUIREMENTS[asker],
    ...(listener === 'usher' ? {} : { servers: [...SERVERS[listener]] }),
    requestParams: {
      ...(params ? { path: params } : {}),
      ...(query ? { query } : {}),
      ...(headers ? { header: headers } : {}),
    },
    ...(body ? { requestBody: { content: contentOf(body), required: isRequired(body) } } : {}),
    responses: responsesOf(operation),
  };
}

function contentOf(body: NonNullable<Operation['body']>) {
  return Object.fromEntries(Object.entries(body).map(([type, schema]) => [type, { schema }]));
}

function isRequired(body: NonNullable<Operation['body']>): boolean {
  return !Object.values(body).some((schema) => schema.safeParse(undefined).success);
}

function responsesOf({ answers, problems = [] }: Operation): ZodOpenApiOperationObject['responses'] {
  const good = Object.entries(answers).map(([status, answer]) => [status, responseOf(answer)] as const);
  const bad = problems.map((status) => [String(status), problemOf(status)] as const);
  return Object.fromEntries([...good, ...bad]);
}

function responseOf({ words, type, schema, headers }: Answer): ZodOpenApiResponseObject {
  return {
    description: words,
    ...(type === undefined ? {} : { content: { [type]: schema ? { schema } : {} } }),
    ...(headers ? { headers } : {}),
  };
}

function problemOf(status: number): ZodOpenApiResponseObject {
  return {
    description: REFUSALS[status]!,
    content: { 'application/problem+json': { schema: PROBLEM } },
    ...([429, 503].includes(status) ? { headers: RETRY_AFTER } : {}),
  };
}
