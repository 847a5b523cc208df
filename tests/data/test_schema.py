import pytest
import torch
from jaxtyping import TypeCheckError
from pydantic import BaseModel, ConfigDict, ValidationError

from vcycle.data import DataError, Fields
from vcycle.data.schema import Description, explain, suggestion
from vcycle.spaces import Domain


def test_a_pair_has_one_grid_and_one_number_of_samples():
    assert len(Fields(torch.zeros(3, 2, 4, 5), torch.zeros(3, 1, 4, 5))) == 3
    with pytest.raises(TypeCheckError):
        Fields(torch.zeros(3, 2, 4, 5), torch.zeros(3, 1, 5, 5))
    with pytest.raises(TypeCheckError):
        Fields(torch.zeros(3, 2, 4, 5), torch.zeros(2, 1, 4, 5))


def test_fields_have_names_of_their_own_and_units_belong_to_fields():
    with pytest.raises(DataError, match="every field needs a name of its own"):
        Description("d", Domain.unit(1), "cell", ("u",), ("u",), None, {}, "")
    with pytest.raises(DataError, match="a unit is given for 'pressure', which is no field: there are a, u"):
        Description("d", Domain.unit(1), "cell", ("a",), ("u",), None, {"pressure": "Pa"}, "")


def test_suggestions_name_the_nearest_word():
    assert (
        suggestion("permeabilty", ["permeability", "u"]) == ": did you mean 'permeability'? There are permeability, u"
    )
    assert suggestion("xyz", []) == ": there are none"


def test_unknown_keys_are_explained_where_they_stand():
    class Inner(BaseModel):
        model_config = ConfigDict(extra="forbid")
        boundary: str = ""

    class Outer(BaseModel):
        model_config = ConfigDict(extra="forbid")
        domain: Inner = Inner()

    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"domain": {"boundry": "x"}})
    sentence = str(explain(caught.value, "own.yaml", Outer))
    assert sentence == "own.yaml has an unknown key domain.boundry: did you mean 'boundary'? There are boundary"
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate([1])
    assert str(explain(caught.value, "own.yaml", Outer)).startswith(
        "own.yaml is not valid at the top level: Input should"
    )
