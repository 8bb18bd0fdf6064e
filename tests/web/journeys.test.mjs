// What people come for, done as they do it.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { json, launch, open, server } from './browser.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

const texts = (page, selector) => page.locator(selector).allInnerTexts();

test('a first visit ends in a decision, whose address can be shared', async () => {
  const page = await open(browser);
  await page.show('/');
  assert.match(await page.innerText('#answer .verdict .headline'), /^[a-z0-9-]+\.[a-z0-9]+/);
  assert.match(await page.innerText('#answer .published-note'), /others published/i);
  const before_ = await page.innerText('#answer .verdict .figures');
  await page.fill('[name=requests_per_s]', '40');
  await page.press('[name=requests_per_s]', 'Tab');
  await page.waitForURL(/requests_per_s=40/);
  await page.waitForFunction((old) => document.querySelector('#answer .verdict .figures')?.innerText !== old, before_);
  const answer = await page.innerText('#answer .verdict .figures');
  await page.reload();
  assert.equal(await page.innerText('#answer .verdict .figures'), answer, 'the address says everything');
  await page.goBack();
  await page.waitForFunction((old) => document.querySelector('#answer .verdict .figures')?.innerText === old, before_);
  await page.click('#answer table tbody tr:first-child td:last-child a');
  assert.match(await page.innerText('h1'), /on/);
  await page.close_well();
});

test('a list is filtered, sorted and compared', async () => {
  const page = await open(browser);
  await page.show('/published');
  await page.fill('[name=search]', 'qwen3-32b');
  await page.waitForURL(/search=qwen3-32b/);
  await page.waitForFunction(() => [...document.querySelectorAll('#list tbody td:nth-child(2)')]
    .every((cell) => cell.innerText.includes('Qwen3-32B')));
  assert.equal(await page.evaluate(() => document.activeElement.name), 'search', 'the caret stays where it was');
  await page.click('th a:has-text("tok/s")');
  await page.waitForURL(/sort=output_tokens_per_s&order=descending/);
  assert.equal(await page.getAttribute('th:has-text("tok/s")', 'aria-sort'), 'descending');
  const rates = (await texts(page, '#list tbody td:nth-child(7)')).filter((it) => it !== '–')
    .map((it) => Number(it.replaceAll(',', '')));
  assert.deepEqual(rates, [...rates].sort((a, b) => b - a));
  for (const box of (await page.locator('#list tbody input').all()).slice(0, 4)) await box.check();
  await page.click('text=Compare the ticked ones');
  assert.equal((await page.locator('table.compare thead th').count()) - 1, 4);
  assert.ok((await page.locator('figure.chart a').count()) > 4, 'the charts are made of links');
  for (const form of ['csv', 'json', 'md']) {
    const address = await page.getAttribute(`a[href*="comparison.${form}"]`, 'href');
    const file = await fetch(server + address);
    assert.equal(file.status, 200);
    assert.match(await file.text(), /output_tokens_per_s/);
  }
  await page.close_well();
});

test('a run is started with the keyboard alone and watched to its end', async () => {
  const page = await open(browser);
  // The page must follow its run however late its second script comes.
  await page.route(/hx-sse/, async (route) => {
    await new Promise((resolve) => { setTimeout(resolve, 700); });
    await route.continue();
  });
  await page.show('/');
  const reach = async (matches) => {
    for (let step = 0; step < 60; step += 1) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(matches)) return;
    }
    assert.fail(`the keyboard does not reach ${matches}`);
  };
  await reach(() => document.activeElement.innerText === 'New run');
  await page.keyboard.press('Enter');
  await page.waitForURL(/runs\/new/);
  await reach(() => document.activeElement.name === 'model');
  await page.keyboard.type('meta-llama/Llama-3.1-8B');
  await reach(() => document.activeElement.name === 'concurrency');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('2');
  await reach(() => document.activeElement.name === 'output_tokens');
  await page.keyboard.type('16');
  await reach(() => document.activeElement.tagName === 'SUMMARY');
  await page.keyboard.press('Enter');
  await reach(() => document.activeElement.name === 'min_duration_s');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('2');
  await reach(() => document.activeElement.name === 'min_requests');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('20');
  await reach(() => document.activeElement.innerText?.startsWith('Start the run'));
  await page.keyboard.press('Enter');
  await page.waitForURL(/runs\/[0-9a-f-]{36}$/);
  await page
    .waitForFunction(() => document.querySelector('[role=status]')?.innerText.includes('succeeded'), null, { timeout: 120_000 })
    .catch(async () => {
      const { phase } = await json(`/api/v1${new URL(page.url()).pathname}`);
      assert.fail(`the page says ${await page.innerText('#live .status')}, the server ${JSON.stringify(phase)}`);
    });
  await page.waitForSelector('#record a[href^="/results/"], #live a[href^="/results/"]');
  await page.close_well();
});

test('the form says what a run would be like, and keeps the place of the keyboard', async () => {
  const page = await open(browser);
  await page.show('/runs/new');
  await page.fill('[name=model]', 'meta-llama/Llama-3.1-8B');
  await page.press('[name=model]', 'Tab');
  await page.waitForSelector('#panel h2:has-text("Estimate")');
  await page.focus('#panel button');
  await page.evaluate(() => document.querySelector('[name=concurrency]').dispatchEvent(new Event('change', { bubbles: true })));
  await page.waitForTimeout(1500);
  assert.equal(await page.evaluate(() => document.activeElement.closest('#panel')?.id), 'panel', 'the focus stays');
  await page.fill('[name=concurrency]', 'many');
  await page.press('[name=concurrency]', 'Tab');
  await page.waitForSelector('#panel h2:has-text("It would be refused")');
  await page.fill('[name=concurrency]', '2');
  const file = { name: 'mine.jsonl', mimeType: 'text/plain', buffer: Buffer.from('{"prompt": "a"}\n{"prompt": ""}\n') };
  await page.setInputFiles('[name=dataset_file]', file);
  await page.click('#panel button.quiet');
  assert.match(await page.innerText('#dataset_file-complaint'), /line 2: the prompt is empty/);
  await page.close_well();
});

test('a person who asks for it is told when a run ends', async () => {
  const page = await open(browser);
  await page.context().grantPermissions(['notifications'], { origin: server });
  // What the browser would show cannot be read back: it is noted instead.
  await page.addInitScript(() => {
    globalThis.told = [];
    globalThis.Notification = class {
      static permission = 'default';
      static requestPermission = async () => 'granted';
      constructor(title, { body }) { globalThis.told.push(`${title} | ${body}`); }
    };
  });
  const run = await json('/api/v1/runs', {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'meta-llama/Llama-3.1-8B', instance_type: 'g6e.xlarge', load_points: [{ concurrency: 1 }],
      platform: { kind: 'local', engine: 'simulator' }, measurement: { min_duration_s: 600, max_duration_s: 600 } }),
  });
  await page.show(`/runs/${run.id}`);
  await page.click('#notify');
  await page.waitForSelector('#notify:disabled');
  await json(`/api/v1/runs/${run.id}/cancel`, { method: 'POST' });
  await page.waitForFunction(() => globalThis.told.length === 1);
  assert.match(await page.evaluate(() => globalThis.told[0]), /^Run cancelled \| meta-llama\/Llama-3\.1-8B on/);
  await page.close_well();
});

test('without JavaScript lists are filtered, sorted and compared, and runs are started', async () => {
  const page = await open(browser, { javaScriptEnabled: false });
  await page.show('/published');
  await page.fill('[name=search]', 'llama-3.1-8b');
  await page.click('form[role=search] button');
  assert.match(page.url(), /search=llama-3\.1-8b/);
  await page.click('th a:has-text("TTFT p50")');
  assert.match(page.url(), /search=llama-3\.1-8b.*sort=ttft_p50_ms/);
  for (const box of (await page.locator('#list tbody input').all()).slice(0, 2)) await box.check();
  await page.click('text=Compare the ticked ones');
  assert.equal((await page.locator('table.compare thead th').count()) - 1, 2);
  await page.show('/?model=Qwen/Qwen3-32B&e2e_ms=30000&statistic=p90');
  await page.selectOption('[name=tier]', 'reserved_3_year');
  await page.click('#ask button');
  assert.match(await page.innerText('#answer'), /3 years reserved/);
  await page.show('/runs/new');
  await page.fill('[name=model]', 'no/such-model');
  await page.click('button:has-text("Start the run")');
  assert.match(await page.innerText('[role=alert]'), /no model `no\/such-model`/);
  await page.fill('[name=model]', 'meta-llama/Llama-3.1-8B');
  await page.fill('[name=min_duration_s]', '1');
  await page.click('button:has-text("Check again")');
  assert.match(await page.innerText('#panel'), /Estimate[\s\S]*nothing: it runs on the worker's own machine/);
  await page.click('button:has-text("Start the run")');
  assert.match(page.url(), /runs\/[0-9a-f-]{36}$/);
  await page.click('button:has-text("Cancel")');
  const { spec } = await json(`/api/v1${new URL(page.url()).pathname}`);
  assert.equal(spec.model, 'meta-llama/Llama-3.1-8B');
});

test('what others wrote is shown and never becomes part of the page', async () => {
  const hostile = `"><img src=x onerror="alert(1)"><script>alert(2)</script>{{7*7}}`;
  const file = { date: '20261124-100000', backend: 'vllm', model_id: 'a/b', num_prompts: 10, max_concurrency: 2, duration: 10,
    completed: 10, total_input_tokens: 100, total_output_tokens: 100, request_throughput: 1, output_throughput: 10,
    total_token_throughput: 20, mean_ttft_ms: 10, median_ttft_ms: 10, p99_ttft_ms: 20 };
  const imported = await json('/api/v1/imported-results', {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ file, source: { name: hostile, reference: hostile, licence: hostile }, model: 'a/b', imported_by: hostile,
      hardware: { instance_type: 'g6e.xlarge', accelerator_name: hostile, description: hostile },
      engine: { name: hostile, version: hostile, precision: hostile } }),
  });
  assert.equal(imported.results.length, 1);
  const { imported_results: stored } = await json('/api/v1/imported-results?model=a/b');
  const id = stored[0].imported_result_id;
  const run = await json('/api/v1/runs', {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'meta-llama/Llama-3.1-8B', instance_type: 'external', submitted_by: hostile,
      platform: { kind: 'endpoint', url: 'http://127.0.0.1:9/' }, load_points: [{ concurrency: 1 }], timeout_s: 60 }),
  });
  const page = await open(browser);
  const query = encodeURIComponent(hostile);
  for (const path of [`/published/${id}`, '/published?search=a/b', `/compare?r=${id}`, '/runs', `/runs/${run.id}`,
    `/published?search=${query}`, `/catalog?instance_type=${query}`, `/models?search=${query}`, `/?model=${query}`,
    `/runs/new?model=${query}&slo=${query}`, `/runs?submitted_by=${query}`, '/instances/g6e.xlarge']) {
    await page.show(path);
    assert.equal(await page.locator('img[src=x], main script').count(), 0, path);
    assert.ok(!(await page.content()).includes('{{7*7}}') || (await page.content()).includes('&lt;script&gt;'), path);
  }
  await page.close_well();
});
