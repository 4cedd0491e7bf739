"""The console's addresses, under /console/."""

from django.urls import path

from relight.web.console import (
    acts,
    agencies,
    approvals,
    case,
    cases,
    overview,
    payments,
    plans,
    policies,
    session,
    statements,
    tasks,
)

app_name = "console"

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("sign-in/", session.sign_in, name="login"),
    path("sign-out/", session.sign_out, name="logout"),
    path("password/", session.password, name="password"),
    path("partner/", session.switch_partner, name="partner"),
    path("language/", session.language, name="language"),
    path("cases/", cases.cases, name="cases"),
    path("cases/<int:case_id>/", case.case, name="case"),
    path("cases/<int:case_id>/hold/", acts.hold, name="hold"),
    path("cases/<int:case_id>/holds/<int:hold_id>/end/", acts.end_hold, name="end_hold"),
    path("cases/<int:case_id>/plan/", plans.plan, name="plan"),
    path("cases/<int:case_id>/plans/<int:plan_id>/end/", plans.end_plan, name="end_plan"),
    path("cases/<int:case_id>/promise/", plans.promise, name="promise"),
    path("cases/<int:case_id>/recall/", agencies.recall, name="recall"),
    path("cases/<int:case_id>/note/", acts.note, name="note"),
    path("cases/<int:case_id>/approvals/<int:approval_id>/", acts.approve, name="approve"),
    path("cases/<int:case_id>/steps/<int:number>/void/", acts.void, name="void"),
    path("cases/<int:case_id>/messages/<int:message_id>/letter.pdf", case.letter, name="letter"),
    path("accounts/<int:account_id>/statement/", statements.statement, name="statement"),
    path("accounts/<int:account_id>/statement.pdf", statements.pdf, name="statement_pdf"),
    path("accounts/<int:account_id>/statement.csv", statements.sheet, name="statement_csv"),
    path("tasks/", tasks.tasks, name="tasks"),
    path("tasks/<int:task_id>/", tasks.finish, name="task"),
    path("payments/", payments.payments, name="payments"),
    path("payments/<int:payment_id>/", payments.one_payment, name="payment"),
    path("payments/<int:payment_id>/assign/", payments.assign, name="payment_assign"),
    path("payments/<int:payment_id>/take-away/", payments.take_away, name="payment_take_away"),
    path("payments/<int:payment_id>/park/", payments.park, name="payment_park"),
    path("payments/<int:payment_id>/refund/", payments.ask_refund, name="payment_refund"),
    path("refunds/<int:refund_id>/", payments.answer_refund, name="refund"),
    path("policies/", policies.policies, name="policies"),
    path("policies/<str:name>/", policies.policy, name="policy"),
    path("policies/<str:name>/share/", policies.share, name="share"),
    path("policies/<str:name>/<int:version>.svg", policies.drawn, name="policy_drawn"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/approve/", approvals.approve_chosen, name="approve_chosen"),
]
