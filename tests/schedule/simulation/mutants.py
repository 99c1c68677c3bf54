# SPDX-License-Identifier: Apache-2.0
"""Breaks a copy of the scheduler in one place after the other: the simulation must notice each of them.

mutants.py ROOT COMPILER [SCHEDULES] [NAME...]
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# name, file below include/corolith/schedule, what is there, what replaces it
MUTANTS = [
    ("an older attempt counts", "impl/batches.ipp", " || call->attempt != id.attempt)", ")"),
    ("a result is taken from any agent", "impl/batches.ipp", " || call->agent != slot ||", " ||"),
    ("a call that ended keeps its slot", "impl/batches.ipp", "    agent.free += cost;\n", ""),
    ("a blocked call gives its slot back twice", "impl/batches.ipp", "    --agent.blocked;\n", "    --agent.blocked;\n    agent.free += cost;\n"),
    ("an unblocked call takes no slot", "impl/scheduler.ipp", "  at.agent->free -= core_->cost_of(*at.batch, at.call->depth);\n", ""),
    ("what was cancelled is sent again", "impl/batches.ipp", "  if (call.cancelled) return fail(batch, index, call, fail_reason::cancelled);\n", ""),
    ("a call is told to stop each time somebody cancels it", "impl/batches.ipp", "  if (call.cancelled) return;\n", ""),
    ("calls of a lost agent are forgotten", "impl/agents.ipp", "      requeue(*batch, i, call);\n", "      if (i % 16 != 7) requeue(*batch, i, call);\n"),
    ("batches do not take turns", "impl/batches.ipp", "batch.key.held = batch.options.priority == 1 ? batch.held : batch.held / batch.options.priority;", "batch.key.held = 0;"),
    ("priorities do not count", "impl/batches.ipp", "batch.held / batch.options.priority;", "batch.held;"),
    ("large calls wait until small ones leave room by chance", "impl/dispatch.ipp", "  parked.clear();\n  reserve();\n", "  parked.clear();\n"),
    ("an agent kept free is closed to others when it was used", "impl/dispatch.ipp", "    if (reserved_shape != no_slot && shape != reserved_shape && !still_waits) unreserve();\n", ""),
    ("what is sent ahead need not fit", "impl/dispatch.ipp", "return tree.find(shape.cost, shape.entire);", "return tree.find(shape.cost);"),
    ("pages of calls are kept", "detail/call_table.hpp", "    if (++page->ended == calls_per_page) {", "    if (++page->ended > calls_per_page) {"),
    ("no more input is asked for", "impl/scheduler.ipp", "batch->outstanding + batch->wanted <= batch->window - batch->window / 4)", "batch->outstanding + batch->wanted == 0)"),
    ("too much input is asked for", "impl/batches.ipp", "  const std::uint64_t room = batch.window - taken_up;", "  const std::uint64_t room = batch.window - batch.outstanding;"),
    ("one loss too many makes poison", "retry.hpp", "past.losses + 1 >= poison_after", "past.losses >= poison_after"),
    ("one retry too many", "retry.hpp", "past.failures < retries", "past.failures <= retries"),
    ("rests have no end", "impl/agents.ipp", "agent.rest_until <= now) wake(agent, true);", "agent.rest_until < 0) wake(agent, true);"),
    ("the last agent rests too", "impl/agents.ipp", "|| agent.resting || !other_healthy(&agent)) return;", "|| agent.resting) return;"),
    ("nobody wakes when the last healthy agent goes", "impl/agents.ipp", "  if (other_healthy(nullptr)) return;\n", "  return;\n"),
    ("blocked calls keep an agent on trial closed", "impl/agents.ipp", "agent.on_trial && agent.calls > agent.blocked", "agent.on_trial && agent.calls > 0"),
    ("agents that drain get calls", "impl/agents.ipp", "!agent.alive || agent.draining || agent.resting || slot", "!agent.alive || agent.resting || slot"),
    ("an attempt is recalled again and again", "impl/recall.ipp", "    call.recalled = true;\n", ""),
    ("what was taken back is sent ahead again", "impl/recall.ipp", "  if (was_taken_back(batch)) return !could_start(agent, batch);\n", ""),
    ("what was sent to where it could start is taken back", "impl/dispatch.ipp", "count_ahead(agent, call, would_wait(agent, batch));", "count_ahead(agent, call, true);"),
    ("what is recalled of a silent agent may have to queue elsewhere", "impl/recall.ipp", "    if (!agents[slot].draining && tree.find(entire, entire, entire) == no_slot) continue;\n", ""),
    ("calls that fit nowhere wait for ever", "impl/dispatch.ipp", "  if (final) fail_unfittable();\n", ""),
    ("calls do not wait for agents", "impl/dispatch.ipp", "  if (final) fail_unfittable();\n", "  fail_unfittable();\n"),
    ("a batch is done before its last call", "impl/batches.ipp", "    if (batch.input_ended && batch.waiting == 0 && batch.sent == 0) finish_batch", "    if (batch.input_ended && batch.waiting == 0) finish_batch"),
    ("a batch that was removed is kept", "impl/batches.ipp", "  if (batch.removed) forget(batch);\n", ""),
    ("a batch that was removed answers", "impl/scheduler.ipp", "return removed ? verdict::stale : verdict::deliver;", "return verdict::deliver;"),
    ("an opened batch is opened again", "impl/dispatch.ipp", "    batch.opened.insert(slot);\n", ""),
]


def run(root, compiler, schedules, mutant):
    """What the simulation says of the mutant; None when it notices nothing."""
    name, file, old, new = mutant
    with tempfile.TemporaryDirectory() as folder:
        include = pathlib.Path(folder, "include", "corolith")
        for part in ("core", "schedule"):
            shutil.copytree(pathlib.Path(root, "include", "corolith", part), include / part)
        source = include / "schedule" / file
        text = source.read_text()
        if text.count(old) != 1:
            sys.exit(f"mutants.py: '{name}': what it replaces in {file} is there {text.count(old)} times, not once")
        source.write_text(text.replace(old, new))
        program = pathlib.Path(folder, "simulation")
        done = subprocess.run([compiler, "-std=c++20", "-O0", "-w", "-I", include.parent, "-o", program,
                               pathlib.Path(root, "tests", "schedule", "simulation", "main.cpp")],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"mutants.py: '{name}' does not compile:\n{done.stderr[:2000]}")
        done = subprocess.run([program], capture_output=True, text=True, check=False,
                              env={**os.environ, "COROLITH_SIMULATIONS": str(schedules), "COROLITH_SIMULATION_SEED": "1"})
        return None if done.returncode == 0 else (done.stdout.strip().split("\n") + ["", ""])[1]


def main(root, compiler, schedules="5000", *names):
    missed = 0
    for mutant in MUTANTS:
        if names and mutant[0] not in names:
            continue
        said = run(root, compiler, schedules, mutant)
        missed += said is None
        print(f"{'MISSED' if said is None else 'noticed'}: {mutant[0]}" + (f" ({said})" if said else ""), flush=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
