// Package engine runs the stages for a lender that is at work: complaints arrive
// one by one, each is compared with all before it in the transaction that
// stores it, and rings are joined anew as durable jobs.
//
//	Submit ──► reduce ──► queue ──► commit: lock, screen, store, log   one transaction for all that wait
//	                                   │
//	                                   └─► job cluster ──► Group (as a scan) ──► Track ──► settle: rings, verdicts, tags
//
// What is compared is held in memory by [pipeline.Live] and is a cache: the
// store has it, and other processes follow what this one commits. Nothing here
// delays a complaint for what is suspected: one that cannot be screened now is
// stored with a job to screen it.
package engine
