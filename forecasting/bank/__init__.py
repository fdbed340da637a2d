"""The question bank: read, check and write its files."""

from forecasting.bank.check import check
from forecasting.bank.read import Bank, read_bank, read_question_file, text_speaks_at
from forecasting.bank.sentences import sentences
from forecasting.errors import nearest

__all__ = [
    "Bank",
    "check",
    "nearest",
    "read_bank",
    "read_question_file",
    "sentences",
    "text_speaks_at",
]
