// Runs examples one after another, as modules of their own, and tells how each ended.
import { readFile, writeFile } from "node:fs/promises"

const outcomes = []
for (const [place, one] of JSON.parse(await readFile("todo.json", "utf8")).entries()) {
  process.chdir(one.folder)
  Object.assign(process.env, one.environment)
  const file = `${one.folder}/example-${place}.mjs`
  await writeFile(file, one.text)
  const said = []
  console.log = (...words) => said.push(words.join(" "))
  let status = 0
  try {
    await import(file)
  } catch (error) {
    status = 1
    said.push(error.stack)
  }
  outcomes.push({ status, output: said.join("\n") })
}
process.stdout.write(JSON.stringify(outcomes))
