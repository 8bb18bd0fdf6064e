// A browser, a server that runs already, and what every test asks of both.
import { createRequire } from 'node:module';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const modules = createRequire(process.env.ACCELBENCH_WEB_MODULES);
const { chromium } = modules('playwright-core');
const axeSource = readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8');

export const server = process.env.ACCELBENCH_SERVER;

export const launch = () =>
  chromium.launch({ executablePath: process.env.ACCELBENCH_CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });

/** A page that fails the test for anything written to the console, and for requests to other places. */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.troubles = [];
  page.requests = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.troubles.push(`${page.url()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => page.troubles.push(`${page.url()}: ${error.message}`));
  page.on('dialog', (dialog) => { page.troubles.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', (request) => {
    page.requests.push(request.url());
    if (!request.url().startsWith(server)) page.troubles.push(`a request to another place: ${request.url()}`);
  });
  page.show = async (path) => {
    const response = await page.goto(server + path, { waitUntil: 'load' });
    return response;
  };
  page.close_well = async () => {
    assert.deepEqual(page.troubles, []);
    await context.close();
  };
  return page;
}

/** What axe-core finds wrong with the page as it is shown. */
export async function violations(page) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations.map((it) => `${it.id}: ${it.nodes.slice(0, 3).map((node) => node.html).join(' | ')}`);
}

export async function json(path, options) {
  const response = await fetch(server + path, options);
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

/** Every page, with what exists on this server. */
export async function pages() {
  const { results } = await json('/api/v1/results?origin=simulated');
  const { imported_results: published } = await json('/api/v1/imported-results?model=Qwen/Qwen3-32B&limit=200');
  const compared = published.filter((it) => it.kind === 'online_serving').slice(0, 4);
  const query = compared.map((it) => `r=${it.imported_result_id}`).join('&');
  return {
    home: '/',
    decision: '/?model=Qwen/Qwen3-32B&input_tokens=512&output_tokens=512&e2e_ms=20000&statistic=p90&requests_per_s=2',
    'home-refused': '/?model=Qwen/Qwen3-32B&ttft_ms=fast',
    catalog: '/catalog',
    'catalog-simulated': '/catalog?origin=simulated&sort=output_tokens_per_s&order=descending',
    published: '/published',
    'published-one': `/published/${compared[0].imported_result_id}`,
    compare: `/compare?${query}`,
    'compare-simulated': `/compare?${results.map((it) => `r=${it.id}`).join('&')}`,
    'compare-empty': '/compare',
    models: '/models',
    model: '/models/Qwen/Qwen3-32B',
    'model-unmeasured': '/models/meta-llama/Llama-3.1-8B',
    instances: '/instances',
    instance: '/instances/g6e.12xlarge',
    runs: '/runs',
    'run-new': '/runs/new',
    'run-new-checked': '/runs/new?model=meta-llama/Llama-3.1-8B&instance_type=g6e.xlarge&concurrency=1,8',
    'catalog-columns': '/catalog?origin=simulated&hide=ttft_p50_ms,e2e_p50_ms,date',
    run: `/runs/${results[0].run_id}`,
    result: `/results/${results[0].id}`,
    methodology: '/methodology',
    status: '/status',
    'not-found': '/models/Qwen/Qwen3-33B',
  };
}
