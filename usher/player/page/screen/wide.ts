// A picture that fills the screen, or floats above other windows.

type AppleVideo = HTMLVideoElement & { webkitEnterFullscreen?: () => void };

/** On iPhones only the video itself can fill the screen. */
export function toggleFullscreen(screen: HTMLElement, video: AppleVideo): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  else if (screen.requestFullscreen) screen.requestFullscreen().catch(() => {});
  else video.webkitEnterFullscreen?.();
}

export function canFloat(): boolean {
  return document.pictureInPictureEnabled === true;
}

/** Browsers refuse before there is a picture. */
export function toggleFloating(video: HTMLVideoElement): void {
  if (!canFloat()) return;
  if (document.pictureInPictureElement) void document.exitPictureInPicture();
  else video.requestPictureInPicture().catch(() => {});
}
