// How operators get in, as the configuration says it: with a token, and at a provider if there is one.

import type { Clock } from '../../network/clock.ts';
import type { Config } from '../../network/config/schema/schema.ts';
import type { Route } from '../../network/http/http.ts';
import type { Logger } from '../../network/logger.ts';
import { keepAdminToken } from './admin-token.ts';
import { Oidc } from './oidc.ts';
import { Operators } from './operators.ts';
import { type SignInOptions, signInRoutes } from './sign-in.ts';

export interface OpenSignInOptions {
  readonly config: Pick<Config, 'operators' | 'secrets' | 'data'>;
  readonly secrets: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

const HOUR_MS = 3_600_000;

export function operatorsOf({ config, secrets, clock }: OpenSignInOptions): Operators {
  const { sessionHours, url } = config.operators;
  return new Operators({ secrets, clock, sessionMs: sessionHours * HOUR_MS, url });
}

/** Throws `bad_token_file`. */
export async function openSignIn(
  options: OpenSignInOptions & { readonly operators: Operators },
): Promise<readonly Route[]> {
  const tokenFile = await openTokenFile(options);
  return signInRoutes({ ...options, provider: providerOf(options.config), tokenFile });
}

/** Where secrets are configured, several processes share them, and commands sign with them. */
async function openTokenFile({
  config,
  operators,
  clock,
  logger,
}: OpenSignInOptions & { readonly operators: Operators }): Promise<string | undefined> {
  if (config.secrets.length > 0) return undefined;
  const { file, isNew } = await keepAdminToken(config.data, operators, clock);
  const words = 'the console is at /console: the token in this file signs in';
  if (isNew) logger.info({ file }, words);
  return file;
}

function providerOf({
  operators: { oidc, url = '' },
}: OpenSignInOptions['config']): SignInOptions['provider'] {
  if (!oidc) return undefined;
  const redirectUrl = `${url}/console/sign-in/callback`;
  return {
    oidc: new Oidc({ ...oidc, redirectUrl }),
    name: new URL(oidc.issuer).host,
    allowed: oidc,
  };
}
