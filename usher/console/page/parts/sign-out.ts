// Signing out, on every page.

import { part } from '../../../player/page/dom.ts';

export function listenToSignOut(): void {
  part(document, 'sign-out').addEventListener('click', () => void signOut());
}

/** The page is for operators: loaded anew it asks who is there. */
async function signOut(): Promise<void> {
  await fetch('/console/sign-out', { method: 'POST' });
  location.reload();
}
