"""What the help of each command shows: examples, and what they do."""

from __future__ import annotations

EXIT_CODES = "exit codes: 0 done, 1 bad input, 2 wrong usage, 3 done but some limits cannot be met, 4 failed"
FIRST_STEPS = """first steps:
  dispatch demo                                     the embedded town, into ./dispatch-demo/
  dispatch import pandapower net.json -o net.nc     a network of your own
  dispatch scenario net.nc --pv-share 0.6 --battery-share 0.4 -o case.nc
  dispatch run case.nc -o out/schedule.nc           schedule.nc, report.html and run.json in out/
  dispatch batch run utility -o night               every feeder of a folder of cases, resumable
  dispatch explain s_nom                            what a name means, its unit and range
  dispatch run --help                               options and examples of a command
"""
DEMO = """examples:
  dispatch demo                          writes case.nc, schedule.nc, report.html and run.json to ./dispatch-demo/
  dispatch demo --season winter -o winter
"""
RUN = """examples:
  dispatch run case.nc -o out/schedule.nc
  dispatch run schutterwald_summer -o week/schedule.nc --start 2016-06-14T22:00 --horizon-h 48
  dispatch run case.nc -o out/schedule.nc --json | jq .status
  dispatch run case.nc -o out/schedule.nc --limits-at 0.9

Beside the schedule stand report.html (open it in a browser) and run.json (times, machine, versions).
"""
RERUN = """example:
  dispatch rerun out/schedule.nc         exit code 0 if every array is the same, 4 if one is not
"""
REINFORCE = """examples:
  dispatch reinforce out/schedule.nc              the five best by their prices are solved again
  dispatch reinforce out/schedule.nc --top 20 --json | jq '.reinforcements[0]'

Each line or transformer alone gets 10 % more rating; its impedance and the AC offsets of the result stay as they are.
"At most" follows from prices and bounds the saving of the last linear program, which is the other figure.
"""
BACKTEST = """examples:
  dispatch backtest measured.nc --days 7
  dispatch backtest measured.nc --days 7 --json | jq .regret_forecast
  dispatch backtest measured.nc --days 7 --limits-at 0.9      what caution costs, and what it saves

Each day, four schedules meet what really came: one with perfect knowledge, one from the forecast at noon of the day
before, one that expects yesterday again, and self-use without control. Where load and sun come otherwise than planned,
batteries follow their meters by the cheapest plan of what is left (docs/forecast.md). Printed are costs (less what is
left in stores, at the mean price of import), regret against perfect knowledge, and for how many hours lines,
transformers and buses were beyond their limits.
"""
BATCH = """examples:
  dispatch batch plan utility                         groups, predicted time and memory; nothing is run
  dispatch batch run utility -o night --gap 1e-4      every feeder; a bad one never stops the rest
  dispatch batch run utility -o night --resume        after whatever end: only what is not done, or was changed
  dispatch batch status night                         while it runs and after it

Results: `dispatch.open_results("night")` in Python, night/report.html in a browser. docs/batch.md says who writes what.
"""
CHECK = """example:
  dispatch check case.nc                 all problems at once: where, what is allowed, what to do
"""
EXPLAIN = """examples:
  dispatch explain s_nom                 an attribute, in every kind that has it
  dispatch explain line.s_nom            one row of the table
  dispatch explain store                 all attributes of a kind: the columns of store.csv
  dispatch explain voltage               no name, but a word: all that is described with it
"""
FORECAST = """examples:
  dispatch forecast case.nc -o ready.nc --from 2024-03-04T12:00 --horizon-h 36
  dispatch forecast case.nc -o ready.nc --quantiles 0.05 0.5 0.95 --figure load.svg --load l17
  dispatch forecast schutterwald_summer -o ready.nc --figure feeder.svg --feeder I8777

Loads with a history in /history are forecast by regressions, with the temperature of /weather where it is known;
those with less than 14 days lean on a standard household of their energy_year, others take profiles. PV with planes is
forecast from /weather. Meters that feed in are told as likely_prosumers in --json (docs/forecast.md).
"""
SCENARIO = """examples:
  dispatch scenario net.nc --pv-share 0.6 --battery-share 0.4 --seed 1 -o case.nc
  dispatch scenario net.nc --pv-share 0.3 --battery-share 0 --heat-pump-share 0.5 --season winter -o winter.nc
  dispatch scenario net.nc --heat-pump-share 0.3 --car-share 0.5 --shared-meter -o electric.nc
  dispatch scenario net.nc --feed-in-tariff 0.40 --green-only -o green.nc

The same options and seed give the same case. The rule itself: docs/scenario.md. A folder of cases gives a folder.
"""
IMPORT = """examples:
  dispatch import pandapower net.json -o net.nc
  dispatch import simbench FOLDER --grid LV3.101 --start 2016-06-20 --days 3 -o net.nc
  dispatch import roseau feeders/*.json.gz -o utility      a folder of cases: `check`, `scenario` and `batch` take it
  dispatch import pandapipes gas.json -o gas.nc
  dispatch import tables tables -o mine.nc
  dispatch import weather place.epw --format epw --into case.nc -o case.nc
"""
MERGE = """example:
  dispatch merge electric.nc gas.nc --match houses.csv -o town.nc
"""
EXPORT = """examples:
  dispatch export tables case.nc -o tables            one CSV a kind, and case.toml; `import tables` reads them
  dispatch export mps out/schedule.nc -o schedule.mps the last LP with all rows, for any solver
"""
REPORT = """example:
  dispatch report out/schedule.nc -o report.html
"""
