// A browser as far as signing in goes: it keeps cookies by origin and follows links when it is told to.

export class CookieBrowser {
  readonly #cookies = new Map<string, Map<string, string>>();

  async go(url: string, init: RequestInit = {}): Promise<Response> {
    const jar = this.#cookies.getOrInsertComputed(new URL(url).origin, () => new Map());
    const Cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, Cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  }

  /** Follows redirects until one leads to an address that `isThere`, which is not asked for. */
  async follow(url: string, isThere: (url: string) => boolean): Promise<string> {
    for (let at = url; ; ) {
      if (isThere(at)) return at;
      const answer = await this.go(at);
      const location = answer.headers.get('location');
      if (location === null) throw new Error(`${at} leads nowhere: ${answer.status} ${await answer.text()}`);
      at = new URL(location, at).href;
    }
  }

  cookie(origin: string, name: string): string | undefined {
    return this.#cookies.get(origin)?.get(name);
  }

  set(origin: string, name: string, value: string): void {
    this.#cookies.get(origin)!.set(name, value);
  }
}
