// Tells whoever asked for it on a run's page that the run has ended, by a notification of the browser.
(() => {
  const button = document.querySelector('#notify');
  const live = document.querySelector('#live');
  if (!button || !live || !('Notification' in globalThis) || !isSecureContext || Notification.permission === 'denied') return;
  const what = document.title;
  let wanted = false;
  const want = () => {
    wanted = true;
    button.textContent = 'You will be told when it ends';
    button.disabled = true;
  };
  button.hidden = false;
  button.addEventListener('click', async () => {
    const answer = await Notification.requestPermission();
    if (answer === 'granted') want();
    else button.textContent = 'The browser does not allow it';
  });
  live.addEventListener('done', () => {
    const state = live.querySelector('[role=status]')?.textContent.trim() || 'ended';
    button.hidden = true;
    if (wanted) new Notification(`Run ${state}`, { body: what, tag: location.pathname, icon: '/static/favicon.svg' });
  });
})();
