// What the configuration says of operators: how they sign in to the console, and which of those whom a provider knows.

import { z } from '../yaml.ts';
import { baseUrl } from './values.ts';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const text = z.string().min(1);

const issuer = z
  .url({ protocol: /^https?$/ })
  .refine((url) => {
    const { protocol, hostname } = URL.parse(url) ?? {};
    return protocol !== 'http:' || LOOPBACK.test(hostname ?? '');
  }, 'a provider is asked over https, or on this machine')
  .meta({ description: 'The provider, as it names itself.', example: 'https://accounts.example.org' });

const oidc = z
  .strictObject({
    issuer,
    clientId: text.meta({ description: 'What the provider calls usher.', example: 'headwater' }),
    clientSecret: text.optional().meta({
      description: 'What it gave usher; HEADWATER_OIDC_CLIENT_SECRET goes before it.',
      example: 'file:/etc/headwater/oidc-secret',
    }),
    scope: text.default('openid email profile').describe('What usher asks for.'),
    emails: z
      .array(text)
      .max(10_000)
      .default([])
      .describe('Addresses of who may operate; the provider must say that it has verified them.'),
    domains: z
      .array(text)
      .max(1_000)
      .default([])
      .describe('Domains whose addresses, verified too, may operate.'),
    claim: z
      .strictObject({
        name: text.meta({ description: 'The name of the claim.', example: 'groups' }),
        value: text.meta({ description: 'What is in it.', example: 'video-operators' }),
      })
      .optional()
      .meta({ description: 'Who may operate by a claim: this value stands in it, alone or in a list.' }),
  })
  .refine(
    ({ emails, domains, claim }) => emails.length > 0 || domains.length > 0 || claim !== undefined,
    'nobody may operate: say who in `emails`, `domains` or `claim`',
  );

export const operators = z
  .strictObject({
    url: baseUrl.optional().meta({
      description: 'Where operators reach usher; as they ask for it when it is not given.',
      example: 'https://usher.example.org',
    }),
    sessionHours: z.number().min(0.1).max(720).default(12).describe('How long somebody stays signed in.'),
    oidc: oidc.optional().meta({
      description: 'A provider of OpenID Connect. Without it, and beside it, tokens sign in.',
    }),
  })
  .refine(({ url, oidc }) => oidc === undefined || url !== undefined, {
    path: ['url'],
    error: 'a provider sends operators back to it: say where they reach usher',
  });
