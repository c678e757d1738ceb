
// While the run trains, the dashboard sends its progress, and a new body after each epoch.
const live = document.querySelector('.live');
const say = (text) => { live.querySelector('p').textContent = text; };
const events = new EventSource(`events?seen=${live.dataset.version}`);
events.addEventListener('progress', ({ data }) => {
  const { text, share } = JSON.parse(data);
  say(text);
  live.querySelector('progress').value = share;
});
events.addEventListener('body', ({ data }) => {
  const opened = document.querySelector('details')?.open;
  document.querySelector('main').innerHTML = JSON.parse(data);
  if (opened) document.querySelector('details').open = true;
  if (shown !== null) show(shown);
});
events.addEventListener('end', ({ data }) => {
  events.close();
  live.classList.add('over');
  say(JSON.parse(data));
});
events.addEventListener('error', () => say('No answer from the run: it has ended or is busy.'));
