// bullmq's addBulk, the fastest way to enqueue with it: prints a rate a second as JSON.
//
//     node peers_bullmq.js URL JOBS PER_CALL PAYLOAD
//
// Each job has a random id, as the other peers' jobs have; PER_CALL jobs go in one call. Nothing works on them.

const { Queue } = require("bullmq");

async function main() {
  const [url, jobs, perCall, payload] = process.argv.slice(2);
  const queue = new Queue("jobs", { connection: { path: url.replace("unix://", "") } });
  const batch = (size) => Array.from({ length: size }, () => ({ name: "job", data: { text: payload } }));
  await queue.addBulk(batch(Number(perCall))); // connects, and loads its scripts
  const begun = process.hrtime.bigint();
  for (let left = Number(jobs); left > 0; left -= Number(perCall)) {
    await queue.addBulk(batch(Math.min(left, Number(perCall))));
  }
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  console.log(JSON.stringify({ rate: Number(jobs) / seconds }));
  await queue.close();
}

main();
