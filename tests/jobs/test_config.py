"""The schema mirrors the code it configures; YAML, options and Python say the same; errors are one sentence."""

import inspect
import subprocess
import sys
from dataclasses import fields

import pytest
import yaml
from annotated_types import Ge
from hypothesis import given, settings
from hypothesis import strategies as st

from vcycle.jobs.config import GenerateConfig, OneCycleConfig, OptimizerConfig, TrainConfig
from vcycle.jobs.configure import dump, merge, parse, read_file, resolve
from vcycle.jobs.network_config import Activation, FNOConfig
from vcycle.jobs.option_errors import ConfigError
from vcycle.jobs.options import members, options
from vcycle.jobs.problem_config import Condition, DarcyConfig
from vcycle.networks import NETWORKS
from vcycle.networks.activations import ACTIVATIONS
from vcycle.problems import PRIORS, PROBLEMS, build
from vcycle.spaces import CONDITIONS
from vcycle.training import Cosine, OneCycle, Optimizer


def configured(line: str, model=TrainConfig, home="data"):
    """What the command line makes of a line of options."""
    return resolve(model, merge({}, parse(line.split(), model, home), model), home)


def complaint(line: str, model=TrainConfig, home="data") -> str:
    with pytest.raises(ConfigError) as caught:
        configured(line, model, home)
    message = str(caught.value)
    assert "\n" not in message
    return message


BASE = "--problem darcy --out R"


class TestMirror:
    """Options and what they configure cannot drift apart."""

    def test_every_network_can_be_configured(self):
        assert set(members(TrainConfig.model_fields["network"])) == set(NETWORKS)

    @pytest.mark.parametrize("name", NETWORKS)
    def test_networks(self, name):
        config, network = members(TrainConfig.model_fields["network"])[name], NETWORKS[name]
        given_elsewhere = ("in_channels", "out_channels", "domain")
        signature = inspect.signature(network).parameters
        defaults = {name: p.default for name, p in signature.items() if name not in given_elsewhere}
        assert config().model_dump(exclude={"name"}) == defaults

    @pytest.mark.parametrize("name", NETWORKS)
    def test_networks_refuse_the_counts_that_options_refuse(self, name):
        options = members(TrainConfig.model_fields["network"])[name].model_fields
        least = {option: m.ge for option, field in options.items() for m in field.metadata if isinstance(m, Ge)}
        for option, bound in least.items():
            if options[option].annotation in (int, int | None):
                with pytest.raises(ValueError, match=rf"got .*{bound - 1}|channel"):
                    NETWORKS[name](1, 1, **{option: bound - 1})

    def test_activations(self):
        assert set(Activation.__args__) == set(ACTIVATIONS)

    @pytest.mark.parametrize(
        ("config", "value"), [(OptimizerConfig, Optimizer), (OneCycleConfig, OneCycle), (None, Cosine)]
    )
    def test_optimizer_and_schedules(self, config, value):
        config = config or members(TrainConfig.model_fields["schedule"])["cosine"]
        expected = {f.name: f.default for f in fields(value)}
        assert config().model_dump(exclude={"per"} | ({"name"} - expected.keys())) == expected

    def test_every_problem_can_be_configured(self):
        assert list(members(TrainConfig.model_fields["problem"])) == list(PROBLEMS)
        assert set(Condition.__args__) == set(CONDITIONS)

    @pytest.mark.parametrize("name", PROBLEMS)
    def test_problems(self, name):
        plain = members(TrainConfig.model_fields["problem"])[name]().plain()
        assert build(plain) == PROBLEMS[name]()
        assert set(plain) == set(PROBLEMS[name]().to_dict())

    def test_priors(self):
        priors = members(DarcyConfig.model_fields["prior"])
        assert set(priors) == set(PRIORS)
        for name, config in priors.items():
            assert config().model_dump() == PRIORS[name]().to_dict()

    @pytest.mark.parametrize("dimension", [1, 2, 3])
    @pytest.mark.parametrize("boundary", ["periodic", "neumann", "pairs"])
    def test_every_configured_problem_can_be_built(self, dimension, boundary):
        conditions = [["dirichlet", "neumann"]] * dimension if boundary == "pairs" else boundary
        config = resolve(DarcyConfig, {"dimension": dimension, "boundary": conditions, "source": "gaussian"})
        assert build(config.plain()).domain.dimension == dimension


class TestRoundTrip:
    @pytest.mark.parametrize(
        "line",
        [
            BASE,
            f"{BASE} --network fno --network.modes [12,8] --optimizer adamw --optimizer.lr 1e-5 --loss bound",
            f"{BASE} --problem.prior high_contrast --problem.prior.contrast 1e6 --schedule cosine --clip 0.5",
            f"{BASE} --problem.extents [[0,2],1] --problem.boundary [[dirichlet,neumann],periodic] --resolution 32,64",
            "--out R --problem navier_stokes --problem.forcing kolmogorov --problem.time 2 --problem.history 3",
            "--out R --problem advection_diffusion --problem.velocity [1,0.5] --problem.extents [1,2]",
            "--out 007 --data d.npz --input-field a,f --output-field u --boundary periodic --epochs 30",
        ],
    )
    def test_printed_configuration_reads_back(self, line, tmp_path):
        config = configured(line)
        (tmp_path / "c.yaml").write_text(dump(config))
        assert resolve(TrainConfig, read_file(tmp_path / "c.yaml")) == config

    @settings(max_examples=30, deadline=None)
    @given(st.floats(1e-300, 1e300), st.integers(0, 2**63), st.text(min_size=1).filter(str.isprintable))
    def test_any_value_reads_back(self, lr, seed, out):
        config = resolve(TrainConfig, {"out": out, "problem": "darcy", "optimizer": {"lr": lr}, "seed": seed})
        assert resolve(TrainConfig, yaml.safe_load(dump(config))) == config

    def test_file_options_and_python_say_the_same(self, tmp_path):
        (tmp_path / "c.yaml").write_text(
            "out: R\nproblem: darcy\nnetwork: {name: fno, width: 16}\noptimizer: {lr: 1e-2}"
        )
        from_file = resolve(TrainConfig, read_file(tmp_path / "c.yaml"))
        from_line = configured(f"{BASE} --network fno --network.width 16 --optimizer.lr 1e-2")
        in_python = {"out": "R", "problem": DarcyConfig(), "network": {"name": "fno", "width": 16}}
        from_python = resolve(TrainConfig, in_python | {"optimizer": OptimizerConfig(lr=1e-2)})
        assert from_file == from_line == from_python

    def test_a_group_may_be_given_whole(self):
        whole = parse(["--network", "{name: fno, width: 16}", "--out", "R", "--problem", "darcy"], TrainConfig)
        assert resolve(TrainConfig, whole) == configured(f"{BASE} --network fno --network.width 16")

    @pytest.mark.parametrize("name", ["[fno]", "{name: [fno]}", "{name: {fno: 1}}", "{name: null}", "3"])
    def test_a_name_that_is_none_is_refused_with_a_sentence(self, name):
        with pytest.raises(ConfigError, match=r"--network cannot be .*known: mgno, fno"):
            resolve(TrainConfig, parse(["--out", "R", "--problem", "darcy", "--network", name], TrainConfig))

    def test_options_come_on_top_of_the_file(self):
        base = {"out": "R", "problem": "darcy", "network": {"width": 16}}
        merged = resolve(TrainConfig, merge(base, {"network": {"depth": 2}}, TrainConfig))
        assert (merged.network.width, merged.network.depth) == (16, 2)
        assert resolve(TrainConfig, merge(base, {"network": "mgno"}, TrainConfig)).network.width == 16

    def test_another_variant_starts_from_its_own_defaults(self):
        base = {"out": "R", "problem": "darcy", "network": {"width": 16}}
        assert resolve(TrainConfig, merge(base, {"network": "fno"}, TrainConfig)).network == FNOConfig()


class TestOptions:
    def test_order_does_not_matter(self):
        assert configured(f"--network.width 8 --network fno {BASE}") == configured(
            f"{BASE} --network=fno --network.width=8"
        )

    def test_underscores_and_hyphens_are_one(self):
        assert configured(f"{BASE} --validate_every 7") == configured(f"{BASE} --validate-every 7")

    @pytest.mark.parametrize("text", ["1e-3", "0.001", "1E-3", "1.0e-3"])
    def test_numbers_as_people_write_them(self, text):
        assert configured(f"{BASE} --optimizer.lr {text}").optimizer.lr == 1e-3

    def test_paths_are_never_read_as_numbers(self):
        assert configured("--problem darcy --out 1e3").out == "1e3"

    def test_members_of_the_home_group_need_no_prefix(self):
        line = "--out D --prior high_contrast --prior.contrast 1e4 --boundary periodic,neumann --source gaussian"
        problem = configured(line, GenerateConfig, "problem").problem
        assert (problem.prior.name, problem.prior.contrast) == ("high_contrast", 1e4)
        assert (problem.boundary, problem.dimension) == (["periodic", "neumann"], 2)

    @pytest.mark.parametrize(("value", "dimension"), [("[1]", 1), ("1,2", 2), ("[1,[0,2],3]", 3)])
    def test_the_dimension_follows_from_the_extents(self, value, dimension):
        assert configured(f"{BASE} --problem.extents {value}").problem.dimension == dimension

    def test_every_option_is_explained(self):
        for model in (TrainConfig, GenerateConfig):
            assert [option.path for option in options(model) if not option.about] == []


class TestComplaints:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            (f"{BASE} --network.widht 3", "unknown option --network.widht: did you mean --network.width?"),
            (f"{BASE} --optimizer.l 3", "unknown option --optimizer.l: did you mean --optimizer.lr?"),
            (
                f"{BASE} --problem.prior.hihg 3",
                "unknown option --problem.prior.hihg: did you mean --problem.prior.high?",
            ),
            (f"{BASE} --stepz 3", "unknown option --stepz: did you mean --steps?"),
            (f"{BASE} --lr 1e-3", "unknown option --lr: did you mean --optimizer.lr?"),
            (
                f"{BASE} --prior.name empirical --prior.file a.npy",
                "unknown option --prior: did you mean --problem.prior?",
            ),
            (f"{BASE} --netwrk.width 3", "unknown option --netwrk.width: did you mean --network?"),
            (
                f"{BASE} --problem.domain.extents 2",
                "unknown option --problem.domain.extents: did you mean --problem.extents?",
            ),
            (
                f"{BASE} --problem.prior.contrst 2",
                "unknown option --problem.prior.contrst: did you mean --problem.prior.contrast of --problem",
            ),
        ],
    )
    def test_a_typo_at_any_depth_is_met_with_the_nearest_and_the_known(self, line, expected):
        message = complaint(line)
        assert message.startswith(expected)
        assert "known: --" in message

    def test_typos_in_python_and_yaml_too(self):
        with pytest.raises(ConfigError, match=r"unknown option --network\.widht: did you mean --network\.width\?"):
            resolve(TrainConfig, {"out": "R", "problem": "darcy", "network": {"name": "mgno", "widht": 3}})

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            (f"{BASE} --network.width four", "--network.width must be a valid integer, got 'four'"),
            (f"{BASE} --network.modes 4", "unknown option --network.modes here: it belongs to --network fno"),
            (f"{BASE} --network mngo", "--network cannot be 'mngo': did you mean 'mgno'? known: mgno, fno"),
            ("--problem darcyy --out R", "--problem cannot be 'darcyy': did you mean 'darcy'? known: darcy"),
            (f"{BASE} --loss enregy", "--loss cannot be 'enregy': did you mean 'energy'? known: l2, h1, energy, bound"),
            (f"{BASE} --loss l3", "--loss cannot be 'l3': known: l2, h1, energy, bound"),
            (f"{BASE} --batch 0", "--batch must be greater than or equal to 1, got 0"),
            (f"{BASE} --optimizer.lr nan", "--optimizer.lr must be a finite number, got 'nan'"),
            (f"{BASE} --clip", "--clip needs a value"),
            (f"{BASE} --clip --batch 3", "--clip needs a value"),
            (f"{BASE} clip 3", "expected an option, got 'clip': options start with --"),
            (
                f"{BASE} --resolution 8 4",
                "expected an option, got '4': options start with --, and a list is one",
            ),
            (f"{BASE} --network.width [3", "--network.width: cannot read '[3' as a value; a list is [a, b], one of"),
            (f"{BASE} --problem.boundary wall", "--problem.boundary: a boundary condition is one of"),
            (f"{BASE} --problem.extents 1,-2", "--problem.extents: extents are a positive length or a pair"),
            (f"{BASE} --problem.dimension 3 --problem.extents 1,1", "--problem: extents [1.0, 1.0] has 2 axes and"),
            (f"{BASE} --resolution 1", "--resolution: a resolution is a number of points, at least 2, or one per axis"),
            (f"{BASE} --resolution .inf", "--resolution: a resolution is a number of points, at least 2"),
            (
                "--problem burgers --problem.boundary dirichlet --out R",
                "unknown option --problem.boundary here: it belongs",
            ),
            ("--problem burgers --problem.viscosity 0 --out R", "--problem.viscosity must be greater than 0, got 0"),
            (
                f"{BASE} --problem burgers --problem.dimension 2",
                "--problem: the dimension follows from the extents here",
            ),
            ("--problem burgers --problem.dimension 2", "--problem: the dimension follows from the extents here: give"),
            (f"{BASE} --network.iterations [[1,-1],[2,0]]", "--network.iterations.0.1 must be greater than or equal"),
            (
                f"{BASE} --network sfno --network.output-modes [2,0,2]",
                "--network.output-modes.1 must be greater than or",
            ),
            ("--problem darcy", "--out is missing: it is the folder of the run"),
            ("--out R", "nothing to learn from: give --data FOLDER, or --problem darcy"),
            (f"{BASE} --epochs 3", "--epochs are passes through data and an equation has none: give --steps"),
            ("--out R --data D --steps 3 --epochs 3", "give --steps or --epochs, not both"),
            ("--out R --data D --resolution 64", "--resolution is for training on an equation"),
            (f"{BASE} --schedule.per epoch", "--schedule.per epoch needs --data"),
        ],
    )
    def test_one_sentence_that_names_the_option(self, line, expected):
        assert complaint(line).startswith(expected)

    @pytest.mark.parametrize("network", ["fno", "transformer", "t1", "sfno", "implicit"])
    @pytest.mark.parametrize("modes", ["-3", "0", "[4,0]", "[]", "few"])
    def test_modes_are_counted_from_one(self, network, modes):
        message = complaint(f"{BASE} --network {network} --network.modes {modes}")
        assert message.startswith("--network.modes: expected a number of 1 or more for all axes, or a list with one")

    @pytest.mark.parametrize(
        ("option", "value", "expected"),
        [
            ("padding", "-3", "--network.padding: expected a share of 0 or more"),
            ("padding", "[0.1,nan]", "--network.padding: expected a share of 0 or more"),
            ("rank", "-3", "--network.rank: expected a share above 0 and at most 1, or a list of ranks"),
            ("rank", "[4,0]", "--network.rank: expected a share above 0 and at most 1, or a list of ranks"),
            ("mlp-expansion", "0", "--network.mlp-expansion must be greater than 0, got 0"),
        ],
    )
    def test_numbers_of_fno_are_checked(self, option, value, expected):
        assert complaint(f"{BASE} --network fno --network.{option} {value}").startswith(expected)

    def test_every_count_of_every_network_has_a_least(self):
        bare = (int, int | None, int | list[int], list[int] | None)
        for network in members(TrainConfig.model_fields["network"]).values():
            fields = {n: f for n, f in network.model_fields.items() if n not in ("resolution", "patch", "padding")}
            assert [name for name, f in fields.items() if f.annotation in bare and not f.metadata] == []

    def test_without_the_home_prefix(self):
        message = complaint("--out D --prior.contrast 3", GenerateConfig, "problem")
        assert message == "unknown option --prior.contrast here: it belongs to --prior high_contrast"

    @pytest.mark.parametrize(
        ("content", "expected"),
        [(None, "cannot read"), ("a: [", "is not YAML"), ("- a", "holds no options"), ("", "holds no options")],
    )
    def test_files_that_cannot_be_used(self, content, expected, tmp_path):
        file = tmp_path / "c.yaml"
        if content is not None:
            file.write_text(content)
        with pytest.raises(ConfigError, match=expected):
            read_file(file)


def test_the_schema_needs_no_torch():
    code = "import sys, vcycle.jobs.config, vcycle.jobs.configure; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_options_of_data_without_data_point_to_the_problem():
    with pytest.raises(ConfigError, match=r"--boundary tells of --data, which is missing: .* --problem\.boundary"):
        configured(f"{BASE} --problem darcy --boundary neumann")


@pytest.mark.parametrize("value", ["{name: [x]}", "[1, [2]]", "-1e400"])
@pytest.mark.parametrize("model", [TrainConfig, GenerateConfig])
def test_whatever_an_option_is_given_the_answer_is_a_configuration_or_a_sentence(model, value):
    for path in {option.path.split(".")[0] for option in options(model)}:
        try:
            tree = parse([f"--{path.replace('_', '-')}", value, "--out", "R", "--problem", "darcy"], model)
            resolve(model, merge({}, tree, model))
        except ConfigError as error:
            assert "\n" not in str(error)
