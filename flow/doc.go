// Package flow runs authentik's flows without a browser: logins, enrollments,
// recoveries, the setup of a second factor. A program of its own logs in, a test sees
// what a flow with its policies does, a login page of one's own shows its challenges.
//
// [Login] is the common job: name, password, and a code if one is asked for. The run
// that it returns has a client that acts as the user, for the whole API:
//
//	run, err := flow.Login(ctx, client, &flow.LoginOptions{Username: "anna", Password: password})
//	if err != nil {
//		return err
//	}
//	me, err := run.Client().CoreUsers.Me(ctx)
//
// # Challenges and answers
//
// [Start] starts any flow by its slug. The [Run] has a [Challenge] pending, [Run.Answer]
// answers it, until [Run.Done]:
//
//	for !run.Done() {
//		switch c := run.Challenge().(type) {
//		case *flow.PromptChallenge:
//			err = run.Answer(ctx, flow.PromptAnswer{"username": "anna", "email": "anna@example.com"})
//		case *flow.ConsentChallenge:
//			err = run.Answer(ctx, flow.ConsentAnswer{Token: c.Token})
//		default:
//			err = fmt.Errorf("unexpected: %s", c.Base().Component)
//		}
//		if err != nil {
//			return err
//		}
//	}
//
// There is a type for each challenge of each release. A member that the server does not
// have is zero, and one that this SDK does not know is in Extra. A component that it does
// not know is a [RawChallenge], which a [RawAnswer] answers.
//
// # Outcomes
//
// The executor answers with the status 200, whatever happened. What is no next challenge
// is an error for [errors.Is] and [errors.AsType]:
//
//	ErrInvalidAnswer  *AnswerError     refused; the challenge waits for another answer
//	ErrDenied         *DeniedError     the run has ended
//	ErrFlow           *FlowError       an exception in the server; the challenge waits
//	ErrRestarted      *RestartedError  the flow is at its beginning; the run goes on from there
//	ErrUnanswered     *StageError      of Login: a stage that it cannot answer
//	ErrNotLoggedIn                     of Login: the flow ended well, and nobody is logged in
//	ErrEnded                           of a call after the end
//
// Everything else is an error as package authentik has them: a slug that no flow has is
// an authentik.ErrNotFound. No text of an error has an answer, a cookie or a query.
//
// # What counts once
//
// An answer is sent once: it may use a code up, or count as a wrong password. If nobody
// knows whether the server has it, the error is an authentik.ErrOutcomeUnknown, and
// [Run.Refresh] shows what is pending. A GET is repeated as for the rest of the API. As
// one may end the flow, and the next one start it again, a repeated GET that meets the
// beginning is an authentik.ErrOutcomeUnknown, too, unless authentik says that the user
// is logged in: then the run is done.
//
// # Sessions
//
// A [Session] holds the cookies of one server. Flows that follow each other, such as a
// login and the setup of a device, run in one session. [Session.Save] keeps it for the
// next start of the program: the login, and what the server remembers of the device.
//
// The package is one of its own so that a program that runs no flows has no part of it.
package flow
