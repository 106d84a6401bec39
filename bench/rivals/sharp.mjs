// node sharp.mjs <picture> <jpeg or webp> <folder> <separate or chained>
// Writes a derivative of each size into the folder, and prints seconds of processor time and bytes of memory as JSON.
import { readFileSync, writeFileSync } from "node:fs";
import sharp from "sharp";

const SIZES = [1600, 800, 200];
const ENCODERS = { jpeg: { quality: 82, progressive: true }, webp: { quality: 80, effort: 4 } };
const [picture, format, folder, how] = process.argv.slice(2);

const peak = () => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
const reduced = (pipeline, size) => pipeline.resize(size, size, { fit: "inside", withoutEnlargement: true });
const encoded = (pipeline) => pipeline.toFormat(format, ENCODERS[format]).toBuffer();

async function separate() {
  const bodies = [];
  for (const size of SIZES) bodies.push(await encoded(reduced(sharp(picture).autoOrient(), size)));
  return bodies;
}

async function chained() {
  const bodies = [];
  let source = sharp(picture).autoOrient();
  for (const size of SIZES) {
    const { data, info } = await reduced(source, size).raw().toBuffer({ resolveWithObject: true });
    const raw = { width: info.width, height: info.height, channels: info.channels };
    bodies.push(await encoded(sharp(data, { raw })));
    source = sharp(data, { raw });
  }
  return bodies;
}

sharp.concurrency(1);
sharp.cache(false);
const before = { memory: peak(), cpu: process.cpuUsage() };
const bodies = await { separate, chained }[how]();
const cpu = process.cpuUsage(before.cpu);
console.log(JSON.stringify({ cpu: (cpu.user + cpu.system) / 1e6, memory: peak() - before.memory }));
bodies.forEach((body, index) => writeFileSync(`${folder}/${SIZES[index]}`, body));
