"""Which adoptions are taken back, and what is said of those that stay."""

from dataclasses import replace

from counterfoil.onboarding.undoing import Asked, Refusal, Resting, Standing, undoing

CUSTOMER = Standing(record_key="shop:customer:1", entity="Customer", document_id="7", adopted=12)
INVOICE = Standing(record_key="shop:order:5", entity="Invoice", document_id="40", adopted=13)
RESTS = Resting(record_key="shop:order:5", entity="Invoice", document_id="40", is_adopted=True)
WRITTEN = Resting(record_key="shop:order:6", entity="Invoice", document_id="41", is_adopted=False)
ASKED = Asked(record_key=CUSTOMER.record_key)


def says(standing: Standing, asked: Asked = ASKED) -> str:
    judged = undoing([asked], {standing.record_key: standing}, [standing.record_key])
    assert judged.take_back == ()
    (one,) = judged.refused
    assert one.record_key == asked.record_key
    return one.says


def test_what_was_adopted_and_bears_nothing_is_taken_back_once() -> None:
    judged = undoing([ASKED, ASKED], {CUSTOMER.record_key: CUSTOMER}, [])
    assert (judged.take_back, judged.refused, judged.before) == ((CUSTOMER,), (), 0)


def test_each_reason_to_stay_is_told() -> None:
    assert says(replace(CUSTOMER, adopted=None)) == (
        "Customer 7 was written by Counterfoil; only what was adopted, and not written since, is taken back."
    )
    assert says(replace(CUSTOMER, merged=True)) == (
        "Customer 7 stands for it since a merge in QuickBooks, which cannot be taken back."
    )
    assert says(replace(CUSTOMER, busy=True)).startswith("something of it may be on its way; let `counterfoil sync`")
    other = Asked(record_key=CUSTOMER.record_key, document_id="8")
    assert says(CUSTOMER, other) == "Customer 7 stands for it, and not Customer 8."
    assert says(replace(CUSTOMER, resting=(WRITTEN,))) == (
        "Invoice 41 (shop:order:6) rests on Customer 7: void or delete in QuickBooks what was written, and sync."
    )
    assert says(replace(CUSTOMER, resting=(RESTS, WRITTEN) + (RESTS,) * 3)).startswith(
        "Invoice 40 (shop:order:5), Invoice 41 (shop:order:6), Invoice 40 (shop:order:5) and 2 more rest on"
    )


def test_what_rests_on_it_goes_with_it_and_first() -> None:
    bears = replace(CUSTOMER, resting=(RESTS,))
    assert says(bears) == ("Invoice 40 (shop:order:5) rests on Customer 7: undo what was adopted in the same command.")
    both = {bears.record_key: bears, INVOICE.record_key: INVOICE}
    judged = undoing([ASKED, Asked(record_key=INVOICE.record_key)], both, [])
    assert (judged.take_back, judged.refused) == ((INVOICE, bears), ())


def test_what_was_written_does_not_go_with_it() -> None:
    bears = replace(CUSTOMER, resting=(WRITTEN,))
    asked = [ASKED, Asked(record_key=WRITTEN.record_key)]
    written = Standing(record_key=WRITTEN.record_key, entity="Invoice", document_id="41", adopted=None)
    judged = undoing(asked, {bears.record_key: bears, written.record_key: written}, [])
    assert [one.record_key for one in judged.refused] == ["shop:customer:1", "shop:order:6"]


def test_a_record_that_stands_for_nothing_is_told_with_the_nearest_and_in_a_file_counts_as_undone() -> None:
    judged = undoing([Asked(record_key="shop:custmer:1")], {}, ["shop:customer:1", "shop:order:5"])
    assert judged.refused == (
        Refusal(
            record_key="shop:custmer:1",
            says="nothing in QuickBooks stands for shop:custmer:1; did you mean shop:customer:1?",
        ),
    )
    file = undoing([Asked(record_key="shop:customer:1", document_id="7")], {}, [])
    assert (file.before, file.refused, file.take_back) == (1, (), ())
