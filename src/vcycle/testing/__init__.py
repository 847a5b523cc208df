"""Floor 4: the exams that every operator and every problem sits; a user's own can sit them too."""

from vcycle.testing.network_exam import NETWORK_THEOREMS as NETWORK_THEOREMS
from vcycle.testing.network_exam import Examinee as Examinee
from vcycle.testing.operator_exam import THEOREMS as THEOREMS
from vcycle.testing.operator_exam import Candidate as Candidate
from vcycle.testing.operator_exam import ExamFailed as ExamFailed
from vcycle.testing.operator_exam import examine as examine
