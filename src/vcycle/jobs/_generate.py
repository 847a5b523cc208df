"""`vcycle generate`: verified data of a problem. The verb is the engine of the data room as it is."""

from vcycle.data import generate as generate
