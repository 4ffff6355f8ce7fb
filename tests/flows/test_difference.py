from world import World, text_report
import pytest, shutil
from pathlib import Path
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect")]
from flows.publishing.difference import compare, write_changes
def keep(world, name):
    target = world.root / name
    shutil.copytree(world.out, target)
    return target
def test_try(world: World):
    from flows.publishing.difference_places import compare_places
    for n in range(3):
        for year in (2020, 2021):
            world.put(f"00000{n+1}_{year}年年度报告.txt", text_report(大数据=3+n, 云计算=2))
    mine = world.dictionary("大数据", "云计算")
    world.run(**mine)
    a = keep(world, "a")
    mine = world.dictionary("大数据", "云", "数据", "建设")
    world.put("000001_2021年年度报告（修订版）.txt", text_report(大数据=7, 云计算=2) + "公司良好。")
    world.put("000004_2021年年度报告.txt", text_report(大数据=7, 云计算=2) + "公司良好。")
    (world.reports / "000003_2020年年度报告.txt").unlink()
    world.run(**mine)
    b = keep(world, "b")
    c = compare(a, b)
    print("\n".join(c.summary()))
    print(c.values.to_string()); print(c.facts.to_string()); print(c.firm_years.to_string()); print(c.files.to_string()); print(c.inputs.to_string())
    write_changes({"x": c}, world.root / "ch")
    print((world.root / "ch" / "CHANGES.md").read_text())
    print("\n".join(compare_places(str(a), str(a)).lines(3)))
